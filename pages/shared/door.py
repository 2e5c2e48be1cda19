"""Door: who is let in, and what every answer tells the browser.

A browser sends its visitor's requests to whatever address a page names, and a name that a foreign
page owns may lead here. So a request must name this server, and a page that opens a stream must be
one that this server sent.

Whoever starts a run steers it later by a cookie, which comes with the page. A server that is bound
to its own machine alone needs none: whoever reaches it is its owner.
"""

import ipaddress
import os
import socket
from collections import Counter
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from dynamics.runs import capability, limits
from dynamics.runs.capability import Capability
from dynamics.runs.run import root

METRICS = ("/_stcore/metrics", "/api/metrics")
COOKIE = "dln_capability"  # what a browser shows, see ``dynamics/runs/capability.py``
KEPT = 400 * 86_400  # seconds that a browser keeps it: no browser keeps one for longer
LINK = "owner"  # in an address: the owner's token, which leaves the address at once
PUBLIC = "DLN_PUBLIC"  # whether strangers reach a server that is bound to its own machine alone
PASSED_ON = ("x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip")  # by a proxy
FRAMES = "DLN_FRAMES"  # addresses of pages that may show this one in a frame, with blanks between
STRANGER = (
    "The server takes this page for a foreign one: a proxy in between must pass on the Host that "
    "the browser asked for, or X-Forwarded-Host; see docs/reliability.md."
)


class Door:
    """Refuses requests for other servers, and adds what keeps browsers careful to all answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._sockets: Counter[str] = Counter()  # that are open, by address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, a stream, or what the server itself asks."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        headers = request.headers
        host = headers.get("host", "")
        if not known(host):
            why = (
                f"This server does not go by the name {_name(host)[:80]!r}. Use its address in "
                "numbers, or have its owner put the name into server.allowedHosts."
            )
            await _refuse(scope, receive, send, 400, why)
        elif scope["path"].endswith(METRICS) and not _is_owners(request):
            await _refuse(scope, receive, send, 403, "The metrics are for the server's owner.")
        elif scope["type"] == "http" and LINK in request.query_params:
            answer = _owned(request)
            await answer(scope, receive, _careful(send))
        elif scope["type"] == "websocket" and not local(headers):
            await self._socket(request, scope, receive, send)
        else:
            await self._app(scope, receive, _careful(_known(request, send)))

    async def _socket(
        self, request: HTTPConnection, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Open a stranger's socket, unless its address has as many as one address may."""
        peer = request.client.host if request.client else ""
        where = address(request.headers, None if _loopback(peer) else peer)
        most = limits.given("server")["sockets"]
        if most and self._sockets[where] >= most:
            why = f"Your address has {most} connections to this server; close a page."
            await _refuse(scope, receive, send, 429, why)
            return
        self._sockets[where] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._sockets[where] -= 1
            if not self._sockets[where]:
                del self._sockets[where]


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why[:120]})
        return
    await PlainTextResponse(why, status)(scope, receive, _careful(send))


def _owned(request: HTTPConnection) -> Response:
    """Make the browser the owner's, and lead it to the same address without the token."""
    given = capability.issue_owner(root(), request.query_params[LINK])
    if given is None:
        return PlainTextResponse("This is not the token of the server's owner.", 403)
    left = [pair for pair in parse_qsl(request.url.query, True) if pair[0] != LINK]
    there = f"/{request.url.path.lstrip('/')}" + (f"?{urlencode(left)}" if left else "")
    answer = RedirectResponse(there, 303, {"Cache-Control": "no-store"})
    answer.headers["Set-Cookie"] = _cookie(request, given)
    return answer


def _known(request: HTTPConnection, send: Send) -> Send:
    """Send a page with a capability, to a browser that has none which holds."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            headers = MutableHeaders(scope=message)
            page = headers.get("content-type", "").startswith("text/html")
            shown = Capability(request.cookies.get(COOKIE, ""))
            if page and not local(request.headers) and not capability.holds(root(), shown):
                headers.append("Set-Cookie", _cookie(request, capability.issue(root())))
        await send(message)

    return sent


def _cookie(request: HTTPConnection, given: Capability) -> str:
    """A cookie that no script reads and no foreign page sends along."""
    base = config.get_option("server.baseUrlPath").strip("/")
    passed_on = request.headers.get("x-forwarded-proto", "")
    secure = "; Secure" if "https" in (request.url.scheme, passed_on) else ""
    where = f"Path=/{base}; Max-Age={KEPT}; HttpOnly; SameSite=Lax{secure}"
    return f"{COOKIE}={given.token}; {where}"


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


def public() -> bool:
    """Whether strangers reach this server: by its own address or through a proxy."""
    bound = config.get_option("server.address") or ""
    named = config.get_option("server.allowedHosts") or os.environ.get(PUBLIC, "0") not in ("", "0")
    return not _loopback(bound) or bool(named)


def local(headers: Mapping[str, str]) -> bool:
    """Whether whoever asks sits at the machine of a server that nobody else reaches.

    Then it is the owner. A proxy that nobody has told the server of passes something on.
    """
    passed_on = any(name in headers for name in PASSED_ON)
    return not public() and not passed_on and _loopback(_name(headers.get("host", "localhost")))


def address(headers: Mapping[str, str], peer: str | None) -> str:
    """Where a browser is: the peer, or what the proxy on this machine says that it is.

    Args:
        headers: of the request.
        peer: whoever has opened the connection; None for this machine.
    """
    return peer or headers.get("x-forwarded-for", "").rpartition(",")[2].strip()


def _loopback(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def announcement() -> str:
    """A line for the owner of a server that strangers reach; empty for any other."""
    if not public():
        return ""
    token = "TOKEN" if os.environ.get(capability.OWNERS) else capability.owners(root())
    whose = f", with the token in {capability.OWNERS}" if token == "TOKEN" else ""
    return (
        f"Whoever opens the page with ?{LINK}={token} at the end of its address manages all "
        f"runs{whose}."
    )


def _is_owners(request: HTTPConnection) -> bool:
    """Whether a request carries the owner's token, or the cookie that came for it."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    shown = Capability(request.cookies.get(COOKIE, ""))
    return capability.is_owners(root(), given) or capability.owns(root(), shown)
