"""Nonlinear: networks with a deep linear head tell the classes of images apart."""

from dynamics.core.config import Config
from pages.nonlinear.presets import PRESETS
from pages.shared.workbench.page import show

INTRODUCTION = (
    "A backbone turns an image into features $h$; the head $W = W_L \\cdots W_1$, a product of L "
    "matrices, turns them into one number for each class, and the largest tells the class. The "
    "networks differ in the head alone. The **original** is wide; its **compressed** form is r̂ "
    "wide and starts at what the first gradient asks for. The published factor of two between both "
    "is mostly the way in which the wide head is evaluated: **layer by layer**, or multiplied out "
    "first, which makes the same steps but for rounding. The **plain** layer, one matrix, is as "
    "fast as the compressed head."
)
NUMBERS = {1: "One network tells", 2: "Two networks tell", 3: "Three networks tell"}
NUMBERS |= {4: "Four networks tell", 5: "Five networks tell"}


def heading(config: Config | None) -> str:
    """What is told apart, and by how many networks."""
    if config is None:
        return "Networks tell classes apart"
    count = len(config.networks)
    return f"{NUMBERS.get(count, f'{count} networks tell')} {config.shape[1]} classes apart"


show("classes", heading, INTRODUCTION, PRESETS)
