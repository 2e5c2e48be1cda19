"""Chrome: draws figures as PDF, SVG and PNG with this machine's browser.

It runs in a process of its own (``python -m dynamics.export.picture``), never in the web process: a
browser takes memory, may die, and is cancelled together with its drawing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

PATIENCE = 60  # seconds for one picture
SHARP = 4  # dots for each 1/96 inch of a chart in three dimensions, which a PDF holds as an image
WHOLE = (
    "<style>@page { margin: 0 } img { display: block }</style>"  # without it a PDF is 6 % smaller
)
MISSING = (
    "PDF, SVG, PNG, GIF and MP4 are drawn by Chrome or Chromium, and this machine has none: "
    "install it, on Debian with apt-get install chromium. TikZ, HTML and the numbers need none."
)


class PictureError(ValueError):
    """A picture that cannot be drawn; the message is one clear sentence."""


Sheet = tuple[dict[str, Any], str, float]


def draw(sheets: Sequence[Sheet]) -> list[bytes]:
    """The figures as files.

    Args:
        sheets: for each file the dressed figure, ``pdf``, ``svg`` or ``png``, and the pixels for
            each 1/96 inch.

    Raises:
        PictureError: if there is no browser, or if it has died twice.
    """
    logging.getLogger("kaleido").setLevel(logging.CRITICAL)
    for last in (False, True):
        # The thread is new, because in a notebook an event loop already runs in this one.
        with contextlib.suppress(*(() if last else (_DiedError,))), ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, _drawn(sheets)).result()
    raise AssertionError  # the last try returns or raises


class _DiedError(PictureError):
    pass


async def _drawn(sheets: Sequence[Sheet]) -> list[bytes]:
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
            return files
    except ChromeNotFoundError:
        raise PictureError(MISSING) from None
    except JavascriptError as error:
        raise PictureError(f"Plotly cannot draw this chart: {error}.") from None
    except Exception as error:  # a browser can die in many ways and reports little
        words = f"{type(error).__name__} {error}".strip()
        raise _DiedError(f"Chrome died twice while drawing ({words}); try again.") from None
