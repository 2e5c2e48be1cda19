"""Scenes: what a chart that is more than lines may be saved as, and heat maps in print."""

import base64
import re
from typing import Any

import numpy as np

from dynamics.core.words import raised

LETTER = 0.52  # usual width of a letter, in sizes of type
FLAT = ("scatter", "scattergl", "bar")


def listed(trace: Any) -> bool:
    """Whether a trace stands in the legend: lines and bars unless told not to, others if told."""
    shown = trace.showlegend is not False if trace.type in FLAT else trace.showlegend
    return bool(trace.name and shown)


def numbers(values: Any) -> Any:
    """An array, whether it is a list or as Plotly packs one: base64 of little-endian bytes."""
    if isinstance(values, dict):
        shape = [int(side) for side in str(values.get("shape", -1)).split(",")]
        values = np.frombuffer(base64.b64decode(values["bdata"]), np.dtype(values["dtype"]))
        values = values.reshape(shape)
    return np.array([] if values is None else values, float)


def tell(trace: Any) -> None:
    """Have hovering show z whole: Plotly writes no powers of ten here, or a near tick's words."""
    said = trace.hovertemplate or ""
    if trace.type == "surface":  # at whose points it shows no text
        trace.hovertemplate = said.replace("%{z}", "%{z:.4g}")
        return
    values = numbers(trace.z)
    words = [raised(f"{value:.4g}") for value in values.flat]
    trace.text = np.reshape(words, values.shape).tolist()
    trace.hovertemplate = re.sub(r"%\{z.*?\}", "%{text}", said)
