"""Between: lines between two sparse records, where theory has the exact course.

A singular value may rise within a few steps, and records lie further apart. Where a run is as close
to theory as NEAR at two records in a row, its line follows theory's course from one to the other:
both meet there as the strip of residuals says. All other lines are straight between two records.
The live page does the same: ``pages/shared/live/browser/panel/between.js``.
"""

import numpy as np
import plotly.graph_objects as go

NEAR = 1e-6  # |σ_i − theory| / s_i at both records


def follow(figure: go.Figure) -> None:
    """Add theory's points to the lines of a chart that has theory and a strip of residuals."""
    lines = list(figure.select_traces({"type": "scatter"}))
    strip = [trace for trace in lines if trace.yaxis == "y2" and _mode(trace)]
    residuals = {_mode(trace): np.asarray(trace.y, float) for trace in strip}
    theory = {
        _mode(trace): (np.asarray(trace.x, float), np.asarray(trace.y, float))
        for trace in lines
        if trace.mode == "lines" and _mode(trace) and "y" not in trace.meta
    }
    for trace in lines:
        mode = _mode(trace)
        if trace in strip or mode not in residuals or mode not in theory or "y" not in trace.meta:
            continue
        x, y = np.asarray(trace.x, float), np.asarray(trace.y, float)
        if len(x) < 2:
            continue
        near = residuals[mode] < NEAR
        times, values = theory[mode]
        gap = np.clip(np.searchsorted(x, times, side="right") - 1, 0, len(x) - 2)
        added = (x[gap] < times) & (times < x[gap + 1]) & near[gap] & near[gap + 1]
        places = np.concatenate([x, times[added]])
        order = np.argsort(places, kind="stable")
        trace.update(x=places[order], y=np.concatenate([y, values[added]])[order])


def _mode(trace: go.Scatter) -> tuple[str, int] | None:
    """Network and mode of a line; None for other traces."""
    meta = trace.meta or {}
    return (meta["network"], meta["mode"]) if {"network", "mode"} <= set(meta) else None
