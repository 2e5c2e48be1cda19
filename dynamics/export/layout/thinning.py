"""Thinning: long lines with as many points as print can show.

The live page does the same for its canvas: ``pages/shared/live/browser/base/thin.js``.
"""

from typing import Any

import numpy as np

from dynamics.export.layout.traces import numbers

MOST_POINTS = 1200  # of a line: more than a column has dots to show


def thinned(figure: dict[str, Any], most: int = MOST_POINTS) -> dict[str, Any]:
    """The Plotly figure with at most ``most`` points a line; each stretch keeps its extremes.

    What only the live page reads, ``meta`` and ``uid``, is left out.
    """
    log = figure["layout"].get("xaxis", {}).get("type") == "log"
    data = []
    for trace in figure["data"]:
        kept = {name: value for name, value in trace.items() if name not in ("meta", "uid")}
        joined = bool(kept.get("connectgaps"))  # what it lacks breaks no line
        if (joined or kept.get("mode") == "lines") and kept.get("type", "scatter") == "scatter":
            x, y = (numbers(kept.get(name)) for name in "xy")
            if joined:
                x, y = x[np.isfinite(y)], y[np.isfinite(y)]
            places = np.log(np.maximum(x, 1e-300)) if log else x
            rows = rows_kept(places, y, most)
            kept |= {"x": _short(x[rows]), "y": _short(y[rows])}
        data.append(kept)
    return {"data": data, "layout": dict(figure["layout"])}


def rows_kept(x: Any, y: Any, most: int) -> Any:
    """The points of a line that are kept, in order.

    Of each of ``most`` / 4 equal stretches of x: the first, last, lowest and highest point. Also
    the first point where the line breaks.
    """
    if len(x) <= most:
        return np.arange(len(x))
    span = x[-1] - x[0]
    stretch = ((x - x[0]) / (span or 1) * (most // 4 - 1)).astype(int)
    kept = [np.flatnonzero(~np.isfinite(y))[:1]]
    for rows in np.split(np.arange(len(x)), np.flatnonzero(np.diff(stretch)) + 1):
        finite = rows[np.isfinite(y[rows])]
        if len(finite):
            kept.append(finite[[0, -1, np.argmin(y[finite]), np.argmax(y[finite])]])
    return np.unique(np.concatenate(kept))


def _short(values: Any) -> list[float | None]:
    """Six digits, more than print shows; None for infinity and NaN."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in values]
