"""Film: a chart's lines growing over time, as a GIF or an MP4 for slides.

Chrome draws the whole chart and the empty one; each frame is the whole one up to a moment and the
empty one after it. That is exact where the lines are functions of the horizontal axis.
"""

import copy
import io
import re
from fractions import Fraction
from typing import Any

import numpy as np

from dynamics import chrome
from dynamics.dress import Print
from dynamics.subplots import pairs

FRAMES, RATE = 90, 15  # and per second
REST = 20  # frames for which the end stands
WIDEST = {"gif": 960, "mp4": 1920}  # pixels
PLACE = re.compile(r'<clipPath class="axesclip" id="clip[0-9a-f]+([xy])(\d*)"><rect ([^>]*)/>')


def film(figure: dict[str, Any], form: str, how: Print) -> bytes:
    """The dressed figure as ``gif`` or ``mp4``.

    Raises:
        PictureError: if it cannot be drawn.
    """
    from PIL import Image

    scale = min(how.inches.dots / 96, WIDEST[form] / figure["layout"]["width"])
    sheets = [(figure, "svg", 1.0), (figure, "png", scale), (_bare(figure), "png", scale)]
    svg, png, bare = chrome.draw(sheets)
    whole, empty = (_pixels(Image.open(io.BytesIO(drawn))) for drawn in (png, bare))
    areas = [[round(edge * scale) for edge in area] for area in _areas(figure, svg.decode())]
    frames = []
    for share in np.linspace(0, 1, FRAMES):
        frame = whole.copy()
        for left, right, top, bottom in areas:
            end = int(left + share * (right - left))
            frame[top:bottom, end:right] = empty[top:bottom, end:right]
        frames.append(frame)
    return {"gif": _gif, "mp4": _mp4}[form]([*frames, *[whole] * REST])


def _bare(figure: dict[str, Any]) -> dict[str, Any]:
    """The same chart with lines that take room and are not seen."""
    bare = copy.deepcopy(figure)
    for trace in bare["data"]:
        trace["opacity"] = 0
    return bare


def _pixels(image: Any) -> Any:
    """Height × width × 3 bytes, both sides even, as film wants them."""
    pixels = np.asarray(image.convert("RGB"))
    return pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2]


def _areas(figure: dict[str, Any], svg: str) -> list[tuple[float, ...]]:
    """Left, right, top and bottom of each part of the picture that has lines."""
    edges = {}
    for letter, number, attributes in PLACE.findall(svg):
        sides = {name: float(value) for name, value in re.findall(r'(\w+)="([\d.]+)"', attributes)}
        start, length = sides[letter], sides["width" if letter == "x" else "height"]
        edges[f"{letter}axis{number}"] = (start, start + length)
    return [(*edges[x], *edges[y]) for x, y in pairs(figure)]


def _gif(frames: list[Any]) -> bytes:
    from PIL import Image

    # The last frame has all the colours.
    palette = Image.fromarray(frames[-1]).quantize(64)
    images = [
        Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)
        for frame in frames
    ]
    file = io.BytesIO()
    step = {"duration": round(1000 / RATE), "loop": 0}
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], optimize=False, **step)
    return file.getvalue()


def _mp4(frames: list[Any]) -> bytes:
    """H.264 in the colours that every player shows."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(RATE))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "20"}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()
