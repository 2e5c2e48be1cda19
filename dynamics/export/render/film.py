"""Film: a chart that grows, as a GIF or an MP4 for slides.

For lines in the plane, Chrome draws the whole chart and the empty one. Each frame is the whole one
up to a moment, and the empty one after it; this is exact for functions of the horizontal axis. For
other charts Chrome draws every frame: charts in space grow along their time axis, heat maps show
the given moments.
"""

import copy
import io
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from dynamics.export.caption import About
from dynamics.export.layout import space
from dynamics.export.layout.sizes import Print
from dynamics.export.layout.subplots import pairs
from dynamics.export.layout.traces import numbers
from dynamics.export.render import chrome

LASTS = 6.0  # seconds, without the still at the end
FRAMES = 90  # frames for lines in the plane
SLOW = 24  # frames for a chart in space; each takes a second or two to draw
REST = 1.3  # seconds of the still at the end
SHADES = 128  # colours of a GIF
PAPER = 255  # each part of the paper's colour
WIDEST = {"gif": 960, "mp4": 1920}  # pixels
PLACE = re.compile(r'<clipPath class="axesclip" id="clip[0-9a-f]+([xy])(\d*)"><rect ([^>]*)/>')


def film(moments: Sequence[dict[str, Any]], form: str, how: Print, about: About) -> bytes:
    """A film, as ``gif`` or ``mp4``, of one dressed figure, or of one figure at several moments.

    Raises:
        PictureError: if it cannot be drawn.
    """
    figure = moments[-1]
    scale = min(how.inches.dots / 96, WIDEST[form] / figure["layout"]["width"])
    if len(moments) == 1 and any(trace["type"] in space.SPATIAL for trace in figure["data"]):
        moments = list(_growing(space.lettered(figure)))
        scale = min(scale, WIDEST["gif"] / figure["layout"]["width"])
    frames = _uncovered(figure, scale) if len(moments) == 1 else _drawn(moments, scale)
    rate = Fraction(round(len(frames) / LASTS))
    frames += [frames[-1]] * round(REST * rate)
    return {"gif": _gif, "mp4": _mp4}[form](frames, rate, about)


def _drawn(moments: Sequence[dict[str, Any]], scale: float) -> list[Any]:
    """A frame for each moment; a short run has fewer different moments than frames."""
    from plotly.io.json import to_json_plotly

    names = [to_json_plotly(moment) for moment in moments]
    different = dict(zip(names, moments, strict=True))
    pngs = chrome.draw([(moment, "png", scale) for moment in different.values()])
    pixels = dict(zip(different, map(_pixels, pngs), strict=True))
    return [pixels[name] for name in names]


def _uncovered(figure: dict[str, Any], scale: float) -> list[Any]:
    """Frames of lines in the plane, from the empty chart to the whole one."""
    sheets = [(figure, "svg", 1.0), (figure, "png", scale), (_bare(figure), "png", scale)]
    svg, *pngs = chrome.draw(sheets)
    whole, empty = map(_pixels, pngs)
    areas = [[round(edge * scale) for edge in area] for area in _areas(figure, svg.decode())]
    frames = []
    for share in np.linspace(0, 1, FRAMES):
        frame = whole.copy()
        for left, right, top, bottom in areas:
            end = int(left + share * (right - left))
            frame[top:bottom, end:right] = empty[top:bottom, end:right]
        frames.append(frame)
    return frames


def _growing(figure: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A chart in space up to each moment of its time axis, which is the x axis."""
    times = [numbers(trace["x"]) for trace in figure["data"]]
    low = min(float(x.min()) for x in times)
    high = max(float(x.max()) for x in times)
    for share in np.linspace(0, 1, SLOW):
        until = low + share * (high - low)
        counts = [int((np.atleast_2d(x)[0] <= until).sum()) for x in times]
        cut = [
            _upto(trace, max(2, count)) for trace, count in zip(figure["data"], counts, strict=True)
        ]
        yield figure | {"data": cut}


def _upto(trace: dict[str, Any], count: int) -> dict[str, Any]:
    """A line or a surface at its first ``count`` times; a surface's heights are modes × times."""
    given = {name: numbers(trace[name]) for name in ("x", "y", "z")}
    if trace["type"] == "surface" and given["y"].ndim == 1:
        return trace | {"x": given["x"][:count], "z": given["z"][:, :count]}
    return trace | {name: values[..., :count] for name, values in given.items()}


def _bare(figure: dict[str, Any]) -> dict[str, Any]:
    """The same chart with invisible lines, which take the same room."""
    bare = copy.deepcopy(figure)
    for trace in bare["data"]:
        trace["opacity"] = 0
    return bare


def _pixels(png: bytes) -> Any:
    """Height × width × 3 bytes; both sides are even, as video codecs require."""
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    return pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2]


def _areas(figure: dict[str, Any], svg: str) -> list[tuple[float, ...]]:
    """Left, right, top and bottom of each pair of axes in the picture."""
    edges = {}
    for letter, number, attributes in PLACE.findall(svg):
        sides = {name: float(value) for name, value in re.findall(r'(\w+)="([\d.]+)"', attributes)}
        start = sides[letter]
        length = sides["width" if letter == "x" else "height"]
        edges[f"{letter}axis{number}"] = (start, start + length)
    return [(*edges[x], *edges[y]) for x, y in pairs(figure)]


def _gif(frames: list[Any], rate: Fraction, about: About) -> bytes:
    from PIL import Image

    # These frames together have all colours.
    seen = np.concatenate([frames[i] for i in (0, len(frames) // 2, -1)])
    palette = Image.fromarray(seen).quantize(SHADES)
    images = [
        Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)
        for frame in frames
    ]
    for image in images:  # on a white slide the paper must be white
        shades = np.reshape(image.getpalette() or [], (-1, 3))
        shades[int(np.asarray(image)[0, 0])] = PAPER
        image.putpalette(shades.ravel().tolist())
    file = io.BytesIO()
    step = {"duration": round(1000 / rate), "loop": 0, "comment": about.caption.encode()}
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], optimize=False, **step)
    return file.getvalue()


def _mp4(frames: list[Any], rate: Fraction, about: About) -> bytes:
    """H.264 with 4:2:0 colours, which every player shows."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        container.metadata.update(title=about.title, comment=about.caption)
        stream = container.add_stream("libx264", rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "20"}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()
