"""Holes: which pixels of a picture are missing: scratches, text or a block; NumPy and Pillow."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.core.config import Config
from dynamics.data.labelled import draws

Seen = NDArray[np.bool_]
WORDS = ("low rank", "W = W3 W2 W1", "singular", "depth", "missing", "lorem ipsum", "matrix")
LETTERS = (0.12, 0.3)  # heights of the words, as shares of the picture's smaller side
LENGTHS = (0.2, 1.0)  # lengths of the scratches, as shares of its larger side
MOST = 100_000  # scratches or words


def seen(config: Config) -> Seen:
    """Which pixels are seen, rows × cols: a share p of them, at least one.

    A block's sides are whole numbers of pixels. Pixels that are missing at random are drawn by
    ``engine.draws.mask``, as the entries of every other matrix.
    """
    rng = draws(config.holes, config.seed_data)
    if config.holes == "block":
        return _block(config.shape, config.observed, rng)
    return _drawn(config, rng)


def _block(shape: tuple[int, int], observed: float, rng: np.random.Generator) -> Seen:
    """All but a rectangle of the picture's own shape, somewhere in it."""
    known = np.ones(shape, bool)
    sides = [round(length * math.sqrt(1 - observed)) for length in shape]
    top, left = (
        int(rng.integers(length - side + 1)) for length, side in zip(shape, sides, strict=True)
    )
    known[top : top + sides[0], left : left + sides[1]] = False
    if not known.any():
        known[0, 0] = True
    return known


def _drawn(config: Config, rng: np.random.Generator) -> Seen:
    """All but scratches or words, which are drawn until as many pixels are missing as p says."""
    from PIL import Image, ImageDraw

    rows, cols = config.shape
    hidden = min(round((1 - config.observed) * rows * cols), rows * cols - 1)
    image = Image.new("1", (cols, rows))
    pen = ImageDraw.Draw(image)
    pen.fontmode = "1"  # letters without pixels that are half covered
    before = np.zeros((rows, cols), bool)
    for _ in range(MOST):
        if before.sum() >= hidden:
            break
        (_scratch if config.holes == "scratches" else _word)(pen, (rows, cols), rng)
        now = np.asarray(image)
        new = np.flatnonzero(now & ~before)
        # The last stroke covers only as much as is wanted.
        before.flat[new[: max(hidden - int(before.sum()), 0)]] = True
    return ~before


def _scratch(pen: Any, shape: tuple[int, int], rng: np.random.Generator) -> None:
    """A straight line, a hundredth of the picture wide, mostly upright as on a film."""
    rows, cols = shape
    x, y = rng.uniform(0, cols), rng.uniform(0, rows)
    angle = rng.normal(math.pi / 2, 0.5)
    length = rng.uniform(*LENGTHS) * max(shape) / 2
    across, down = length * math.cos(angle), length * math.sin(angle)
    width = max(1, round(max(shape) / 100))
    pen.line((x - across, y - down, x + across, y + down), fill=1, width=width)


def _word(pen: Any, shape: tuple[int, int], rng: np.random.Generator) -> None:
    """A word in letters of some size, anywhere."""
    from PIL import ImageFont

    rows, cols = shape
    font = ImageFont.load_default(size=max(6, round(rng.uniform(*LETTERS) * min(shape))))
    word = WORDS[int(rng.integers(len(WORDS)))]
    place = rng.uniform(-0.2 * cols, cols), rng.uniform(-0.1 * rows, rows)
    pen.text(place, word, fill=1, font=font)
