"""Chrome: draws figures as PDF, SVG and PNG with the browser that this machine has.

In a process of its own (``python -m dynamics.export.picture``), never in that of the pages: a
browser takes memory, may die, and is to be cancelled with everything that waits for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

TRIES = 2  # a browser that has died is started once more
PATIENCE = 60  # seconds for one picture
SHARP = 4  # dots for each 1/96 inch of what is drawn in three dimensions, as it stands in a PDF
WHOLE = "<style>@page { margin: 0 } img { display: block }</style>"  # a PDF is else 6 % smaller
MISSING = (
    "PDF, SVG, PNG, GIF and MP4 are drawn by Chrome or Chromium, and this machine has none: "
    "install it, on Debian with apt-get install chromium; until then a chart's own menu saves SVG "
    "and PNG."
)


class PictureError(ValueError):
    """A picture that cannot be drawn; the message is one clear sentence."""


Sheet = tuple[dict[str, Any], str, float]


def draw(sheets: Sequence[Sheet]) -> list[bytes]:
    """Each figure in its form, ``pdf``, ``svg`` or ``png``, with the pixels that 1/96 inch has.

    Raises:
        PictureError: if there is no browser, or if it has died twice.
    """
    logging.getLogger("kaleido").setLevel(logging.CRITICAL)
    for last in (False, True):
        # In a thread of its own: a notebook's already has a loop that runs.
        with contextlib.suppress(*(() if last else (_DiedError,))), ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, _drawn(sheets)).result()
    raise AssertionError  # the last try gives its result or its error


class _DiedError(PictureError):
    pass


async def _drawn(sheets: Sequence[Sheet]) -> list[bytes]:
    import kaleido
    import plotly
    from choreographer.errors import ChromeNotFoundError
    from kaleido.errors import JavascriptError

    # The page's own plotly.js, and nothing from elsewhere.
    library = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    page = kaleido.PageGenerator(plotly=library, mathjax=False)
    page.header += WHOLE
    try:
        async with kaleido.Kaleido(page_generator=page, timeout=PATIENCE) as browser:
            drawn = []
            for figure, form, scale in sheets:
                size = {side: figure["layout"][side] for side in ("width", "height")}
                options = {"format": form, "scale": scale, **size}
                sharp = figure | {"config": {"plotGlPixelRatio": SHARP}}
                drawn.append(await browser.calc_fig(sharp, opts=options))
            return drawn
    except ChromeNotFoundError:
        raise PictureError(MISSING) from None
    except JavascriptError as error:
        raise PictureError(f"Plotly cannot draw this chart: {error}.") from None
    except Exception as error:  # a browser dies in many ways, and says little of it
        words = f"{type(error).__name__} {error}".strip()
        raise _DiedError(f"Chrome has died twice while it drew ({words}); try again.") from None
