"""Door: who is let in, and what every answer tells the browser.

A browser sends its visitor's requests to whatever address a page names, and a name that a foreign
page owns may lead here. So a request must name this server, and a page that opens a stream must be
one that this server sent.
"""

import hmac
import ipaddress
import os
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

OWNER = "DLN_OWNER"  # the token of whoever owns the server
FRAMES = "DLN_FRAMES"  # addresses of pages that may show this one in a frame, with blanks between
STRANGER = (
    "The server takes this page for a foreign one: a proxy in between must pass on the Host that "
    "the browser asked for, or X-Forwarded-Host; see docs/reliability.md."
)


class Door:
    """Refuses requests for other servers, and adds what keeps browsers careful to all answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, a stream, or what the server itself asks."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not known(host):
            why = (
                f"This server does not go by the name {_name(host)[:80]!r}. Use its address in "
                "numbers, or have its owner put the name into server.allowedHosts."
            )
            await _refuse(scope, receive, send, 400, why)
        elif scope["path"].endswith("/_stcore/metrics") and not _owner(headers):
            await _refuse(scope, receive, send, 403, "The metrics are for the server's owner.")
        else:
            await self._app(scope, receive, _careful(send))


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why[:120]})
        return
    await PlainTextResponse(why, status)(scope, receive, _careful(send))


def _careful(send: Send) -> Send:
    """Send with the headers that tell a browser what no page of this server does."""
    frames = " ".join(["'self'", *os.environ.get(FRAMES, "").replace(";", " ").split()])
    policy = f"frame-ancestors {frames}; object-src 'none'; base-uri 'self'"

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = policy
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "same-origin"
        await send(message)

    return sent


def known(host: str) -> bool:
    """Whether a Host names this server: one that its owner allows, or else an address of its own.

    Those are addresses in numbers, which no foreign page can have, and the machine's name.
    """
    if config.get_option("server.allowedHosts"):
        return is_host_allowed(host)
    name = _name(host)
    try:
        ipaddress.ip_address(name)
    except ValueError:
        mine = (socket.gethostname(), config.get_option("browser.serverAddress"))
        return name in ("localhost", *(each.lower() for each in mine if each))
    return True


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return host


def own(headers: Mapping[str, str]) -> bool:
    """Whether the page that opens a stream is the program's own, here or at a proxy before it.

    A browser lets no page write its Origin, nor the X-Forwarded-Host of a proxy.
    """
    origin = headers.get("origin")
    if not origin:
        return True
    hosts = [headers.get(name) for name in ("host", "x-forwarded-host")]
    allowed = config.get_option("server.corsAllowedOrigins")
    return urlsplit(origin).netloc in hosts or origin in allowed


def _owner(headers: Headers) -> bool:
    """Whether a request carries the owner's token; where there is none, nobody does."""
    token = os.environ.get(OWNER, "")
    given = headers.get("authorization", "").removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())
