"""Chrome: draws figures as PDF, SVG and PNG with this machine's browser.

It runs in a process of its own (``python -m dynamics.export.picture``), never in the web process: a
browser takes memory, may die, and is cancelled together with its drawing.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import psutil

PATIENCE = 60.0  # seconds for one picture, and for the browser's start and end
LOOK = 0.2  # seconds between two looks at whether it is too late
SHARP = 4  # dots for each 1/96 inch of a chart in three dimensions, which a PDF holds as an image
WHOLE = (
    "<style>@page { margin: 0 } img { display: block }</style>"  # without it a PDF is 6 % smaller
)
MISSING = (
    "PDF, SVG, PNG, GIF and MP4 are drawn by Chrome or Chromium, and this machine has none: "
    "install it, on Debian with apt-get install chromium. TikZ, HTML and the numbers need none."
)

SILENT = "Chrome did not answer in time and was ended; try again."


class PictureError(ValueError):
    """A picture that cannot be drawn; the message is one clear sentence."""


Sheet = tuple[dict[str, Any], str, float]


def draw(sheets: Sequence[Sheet]) -> list[bytes]:
    """The figures as files.

    Args:
        sheets: for each file the dressed figure, ``pdf``, ``svg`` or ``png``, and the pixels for
            each 1/96 inch.

    Raises:
        PictureError: if there is no browser, if it has died twice, or if it does not answer.
    """
    logging.getLogger("kaleido").setLevel(logging.CRITICAL)
    for last in (False, True):
        # The thread is new, because in a notebook an event loop already runs in this one.
        with contextlib.suppress(*(() if last else (_DiedError,))), ThreadPoolExecutor(1) as thread:
            watch = _Watch()
            drawing = thread.submit(asyncio.run, _drawn(sheets, watch))
            while not wait([drawing], LOOK).done:
                watch.look()
            if watch.silent and drawing.exception():
                raise PictureError(SILENT)
            return drawing.result()
    raise AssertionError  # the last try returns or raises


class _DiedError(PictureError):
    pass


class _Watch:
    """Ends the browser of one drawing once it has been silent for too long.

    A browser that is stopped neither answers nor ends when it is asked to.

    Attributes:
        silent: whether the browser was ended.
    """

    def __init__(self) -> None:
        self._others = {child.pid for child in psutil.Process().children(recursive=True)}
        self._heard = time.monotonic()
        self.silent = False

    def hear(self) -> None:
        """Note that the browser has drawn something."""
        self._heard = time.monotonic()

    def look(self) -> None:
        """End the browser with all its processes if it is too late."""
        if time.monotonic() - self._heard < PATIENCE:
            return
        self.silent = True
        for child in psutil.Process().children(recursive=True):
            if child.pid not in self._others:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()


async def _drawn(sheets: Sequence[Sheet], watch: _Watch) -> list[bytes]:
    import kaleido
    import plotly
    from choreographer.errors import ChromeNotFoundError
    from kaleido.errors import JavascriptError

    # The installed plotly.js; nothing comes from the network.
    library = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    page = kaleido.PageGenerator(plotly=library, mathjax=False)
    page.header += WHOLE
    try:
        async with kaleido.Kaleido(page_generator=page, timeout=PATIENCE) as browser:
            files = []
            for figure, form, scale in sheets:
                size = {side: figure["layout"][side] for side in ("width", "height")}
                options = {"format": form, "scale": scale, **size}
                sharp = figure | {"config": {"plotGlPixelRatio": SHARP}}
                files.append(await browser.calc_fig(sharp, opts=options))
                watch.hear()
            return files
    except ChromeNotFoundError:
        raise PictureError(MISSING) from None
    except JavascriptError as error:
        raise PictureError(f"Plotly cannot draw this chart: {error}.") from None
    except Exception as error:  # a browser can die in many ways and reports little
        words = f"{type(error).__name__} {error}".strip()
        raise _DiedError(f"Chrome died twice while drawing ({words}); try again.") from None
