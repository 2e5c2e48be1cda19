"""Download: a file from the network, piece by piece; whoever reads it can give up at any moment."""

import contextlib
import threading
import urllib.request
from collections.abc import Callable, Iterator
from email.message import Message
from queue import Empty, SimpleQueue

CHUNK = 2**17  # bytes of a piece
PACE = 0.5  # seconds between two calls of ``waiting``
PATIENCE = 20  # seconds without a byte after which a download has failed


@contextlib.contextmanager
def download(
    request: str | urllib.request.Request, waiting: Callable[[], None]
) -> Iterator[tuple[Message, Iterator[bytes]]]:
    """The header of an answer, and its content in pieces.

    A server may be silent for long, so a thread listens to it. ``waiting`` is called meanwhile; it
    may raise to give up.

    Raises:
        OSError, HTTPException or ValueError: if the server refuses, or is silent for too long.
    """
    given_up = threading.Event()
    heard: SimpleQueue[Message | bytes | Exception] = SimpleQueue()

    def listen() -> None:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                heard.put(answer.headers)
                while (piece := answer.read(CHUNK)) and not given_up.is_set():
                    heard.put(piece)
            heard.put(b"")
        except Exception as error:  # raised again where the answer is awaited
            heard.put(error)

    def following() -> Message | bytes:
        while True:
            with contextlib.suppress(Empty):
                newest = heard.get(timeout=PACE)
                if isinstance(newest, Exception):
                    raise newest
                return newest
            waiting()

    threading.Thread(target=listen, daemon=True).start()
    try:
        header = following()
        assert isinstance(header, Message)
        yield header, iter(following, b"")  # type: ignore[arg-type]
    finally:
        given_up.set()
