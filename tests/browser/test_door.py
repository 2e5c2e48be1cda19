"""The door: requests for other servers are refused, and every answer keeps browsers careful."""

import http.client
import socket

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from pages.shared import door
from tests.browser.conftest import OWNER, Server

pytestmark = pytest.mark.xdist_group("visit")


def ask(server: Server, path: str, **headers: str) -> http.client.HTTPResponse:
    """An answer, as a client gets it that may write any header."""
    line = http.client.HTTPConnection(server.host, timeout=60)
    line.request("GET", path, headers={name.replace("_", "-"): v for name, v in headers.items()})
    return line.getresponse()


@pytest.mark.parametrize("path", ["/", "/api/ready", "/_stcore/health", "/nowhere"])
def test_no_page_shows_this_one_in_a_frame_or_guesses_what_a_file_is(
    server: Server, path: str
) -> None:
    answer = ask(server, path)
    assert "frame-ancestors 'self'" in str(answer.headers["Content-Security-Policy"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("name", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "["])
def test_a_name_that_is_not_the_server_s_is_refused(server: Server, name: str) -> None:
    """A foreign page's name may be made to lead here; its page would then count as ours."""
    answer = ask(server, "/api/ready", Host=name)
    assert answer.status == 400 and b"does not go by the name" in answer.read()


@pytest.mark.parametrize("path", ["/_stcore/stream", "/api/runs/0123456789abcdef/stream"])
def test_nor_is_a_stream_opened_under_it(server: Server, path: str) -> None:
    host, _, port = server.host.partition(":")
    line = socket.create_connection((host, int(port)))
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://evil.example{path}", sock=line)


@pytest.mark.parametrize("name", ["localhost:1", "127.0.0.1", "[::1]:9", "192.0.2.7:8501"])
def test_addresses_in_numbers_and_names_of_this_machine_are_known(
    server: Server, name: str
) -> None:
    assert ask(server, "/api/ready", Host=name).status == 200


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/api/metrics"])
def test_metrics_are_for_the_owner_alone(server: Server, path: str) -> None:
    assert ask(server, path).status == 403
    assert ask(server, path, Authorization="Bearer ").status == 403
    assert ask(server, path, Authorization=f"Bearer {OWNER}").status == 200


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),  # no browser
        ({"origin": "http://a:1", "host": "a:1"}, True),
        ({"origin": "https://a", "host": "b", "x-forwarded-host": "a"}, True),
        ({"origin": "http://a:2", "host": "a:1"}, False),
        ({"origin": "http://localhost:2", "host": "localhost:1"}, False),
        ({"origin": "null", "host": "a"}, False),
    ],
)
def test_a_page_that_this_server_did_not_send_is_foreign(
    headers: dict[str, str], ours: bool
) -> None:
    assert door.own(headers) == ours
