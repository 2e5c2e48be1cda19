"""Traces: their numbers, their place in the legend, and their words on hovering."""

import base64
import re
from typing import Any

import numpy as np

from dynamics.core.words import raised

LETTER = 0.52  # usual width of a letter, in sizes of type
FLAT = ("scatter", "scattergl", "bar")


def listed(trace: Any) -> bool:
    """Whether a trace is in the legend: lines and bars by default, others if they say so."""
    shown = trace.showlegend is not False if trace.type in FLAT else trace.showlegend
    return bool(trace.name and shown)


def numbers(values: Any) -> Any:
    """An array from a list, or from Plotly's packed form: base64 of little-endian bytes."""
    if isinstance(values, dict):
        shape = [int(side) for side in str(values.get("shape", -1)).split(",")]
        values = np.frombuffer(base64.b64decode(values["bdata"]), np.dtype(values["dtype"]))
        values = values.reshape(shape)
    return np.array([] if values is None else values, float)


def show_values(trace: Any) -> None:
    """Have hovering show z in four digits; Plotly itself would write a near tick's words."""
    template = trace.hovertemplate or ""
    if trace.type == "surface":  # Plotly shows no text at its points
        trace.hovertemplate = template.replace("%{z}", "%{z:.4g}")
        return
    values = numbers(trace.z)
    words = [raised(f"{value:.4g}") for value in values.flat]
    trace.text = np.reshape(words, values.shape).tolist()
    trace.hovertemplate = re.sub(r"%\{z.*?\}", "%{text}", template)
