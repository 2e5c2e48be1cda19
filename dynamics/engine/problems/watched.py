"""Watched: whatever a program of its own trains, recorded from there by dynamics.watch"""

from typing import NoReturn

from torch import Tensor

from dynamics.core.config import ELSEWHERE, Config

READS = ()
TARGET_KNOWN = False
TRAINED = False


def make(config: Config, like: Tensor) -> NoReturn:
    """Raises ValueError: only the program that was recorded has the data and the network."""
    raise ValueError(ELSEWHERE)
