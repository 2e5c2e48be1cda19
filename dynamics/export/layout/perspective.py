"""Perspective: a box in space projected onto the page, with axes and words along its edges.

Coordinates on the page are pixels from the upper left corner of the chart's part. Coordinates in
space are Plotly's: the box of the axes is centred at the origin, with the aspect ratio as sides.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import atan2, ceil, degrees, floor, log10

import numpy as np

from dynamics.core.records import Array
from dynamics.core.words import raised

FOCUS = 1 / np.tan(np.pi / 8)  # Plotly's lens sees 45 degrees from top to bottom
ROUNDS = 40  # iterations for the place of the eye
TILT = 1e-3  # least horizontal distance of the eye from the centre, as a share of its distance
CLOSEST = 1.1  # least distance of the eye, in half diagonals of the box
GLYPH = 0.56  # width of a letter, in sizes of type
LINE = 1.15  # height of a line, in sizes of type
TICK = 0.35  # length of a tick, in sizes of type
GAP = 0.3  # room beyond a tick, in sizes of type
SMALLER = 0.85  # size of numbers at ticks, in sizes of titles
MOST = 5  # intervals between the ticks of an axis


@dataclass(frozen=True)
class Axis:
    """One axis of the box: title, ends, and whether the ends are powers of ten."""

    title: str
    low: float
    high: float
    log: bool = False

    @property
    def ticks(self) -> list[float]:
        """Round numbers from end to end; exponents of ten on a logarithmic axis."""
        span = self.high - self.low
        size = 10 ** floor(log10(span / MOST))
        step = next(size * digit for digit in (1, 2, 5, 10) if span / (size * digit) <= MOST)
        step = max(1.0, step) if self.log else step
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [step * number for number in range(first, last + 1)]

    def said(self, tick: float) -> str:
        """A tick in words, as Plotly writes it: 20k for 20,000, 5×10⁻⁶ for 0.000005."""
        value = 10**tick if self.log else tick
        for power, letter in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
            if abs(value) >= 10**power:
                return f"{value / 10**power:g}{letter}"
        if 0 < abs(value) < 1e-3:
            digits, exponent = f"{value:.2e}".split("e")
            return raised(f"{float(digits):g}e{exponent}").replace("\u00a0", "").replace("-", "−")
        return f"{value:g}".replace("-", "−")


@dataclass(frozen=True)
class Word:
    """Text centred at a point of the page, turned clockwise by ``angle`` degrees."""

    text: str
    at: Array
    size: float
    angle: float = 0.0

    def reach(self, away: Array) -> float:
        """Half its extent in a direction, in pixels, estimated from the usual width of letters."""
        wide = GLYPH * len(bare(self.text)) * self.size
        tall = LINE * self.size
        turn = np.radians(self.angle)
        along = np.array([np.cos(turn), np.sin(turn)])
        across = np.array([-np.sin(turn), np.cos(turn)])
        return float(abs(away @ along) * wide + abs(away @ across) * tall) / 2

    @property
    def half(self) -> Array:
        """Half its width and height on the page."""
        return np.array([self.reach(direction) for direction in np.eye(2)])

    def meets(self, other: "Word") -> bool:
        """Whether two words overlap."""
        return bool((np.abs(self.at - other.at) < self.half + other.half).all())


@dataclass(frozen=True)
class View:
    """A camera that looks at a box of sides ``aspect``, on a part of the page in pixels."""

    eye: Array
    center: Array
    aspect: Array
    width: float
    height: float

    def onto(self, points: Array) -> Array:
        """Points of space N × 3 as points of the page N × 2."""
        ahead, side, up = self._frame()
        seen = points - self.eye
        depth = np.maximum(seen @ ahead, 1e-9)
        across, along = (FOCUS * (seen @ direction) / depth for direction in (side, up))
        middle = np.array([self.width, self.height]) / 2
        return middle + np.stack([across, -along], axis=-1) * self.height / 2

    def _frame(self) -> tuple[Array, Array, Array]:
        ahead = (self.center - self.eye) / np.linalg.norm(self.center - self.eye)
        side = np.cross(ahead, [0.0, 0.0, 1.0])
        side = side / max(float(np.linalg.norm(side)), 1e-9)
        return ahead, side, np.cross(side, ahead)

    def edge(self, axis: int) -> Array | None:
        """Ends 2 × 3 of the edge for an axis; None if the eye looks along it.

        Nothing of the chart is in front of an edge between a visible and a hidden side. Of these
        edges, z takes the left one, and x and y take the lowest one.
        """
        first, second = (number for number in range(3) if number != axis)
        half = self.aspect / 2
        edges = []
        for p in (-1, 1):
            for q in (-1, 1):
                seen = [self.eye[i] * sign > half[i] for i, sign in ((first, p), (second, q))]
                if seen[0] != seen[1]:
                    ends = np.zeros((2, 3))
                    ends[:, axis] = -half[axis], half[axis]
                    ends[:, first] = p * half[first]
                    ends[:, second] = q * half[second]
                    edges.append(ends)
        place = {2: (-1.0, 0.0)}.get(axis, (0.0, 1.0))
        return max(edges, key=lambda ends: float(self.onto(ends).mean(0) @ place), default=None)

    def fitted(self, axes: Sequence[Axis], type_: float) -> "View":
        """The view in the same direction in which box and words just fit into the page's part."""
        room = np.array([self.width, self.height])
        view = self._tilted()
        least = CLOSEST * float(np.linalg.norm(self.aspect)) / 2
        for _ in range(ROUNDS):
            low, high = view._ends(axes, type_)
            away = view.eye - view.center
            distance = float(np.linalg.norm(away))
            _, side, up = view._frame()
            off = ((low + high) - room) / 2 * 2 * distance / (FOCUS * self.height)
            center = view.center + off[0] * side - off[1] * up
            back = max(least, distance * float(((high - low) / room).max())) / distance
            view = replace(view, center=center, eye=center + away * back)
        return view

    def _tilted(self) -> "View":
        """The view, tilted a little if it looks straight down or up, where no side is upward."""
        away = self.eye - self.center
        level = TILT * float(np.linalg.norm(away))
        if float(np.hypot(away[0], away[1])) >= level:
            return self
        return replace(self, eye=self.eye - [0.0, level, 0.0])

    def _ends(self, axes: Sequence[Axis], type_: float) -> tuple[Array, Array]:
        corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        points = [self.onto(corners * self.aspect / 2)]
        for word in words(self, axes, type_):
            points += [np.stack([word.at - word.half, word.at + word.half])]
        reached = np.concatenate(points)
        return reached.min(0), reached.max(0)


def lines(view: View, axes: Sequence[Axis], type_: float) -> Iterator[tuple[Array, Array]]:
    """The axes and their ticks as pairs of points of the page."""
    for number, axis in enumerate(axes):
        if (edge := view.edge(number)) is not None:
            yield tuple(view.onto(edge))
            for _, at, away in _ticks(view, axis, edge):
                yield at, at + TICK * type_ * away


def words(view: View, axes: Sequence[Axis], type_: float) -> list[Word]:
    """Titles and numbers of the axes, ``type_`` pixels large; numbers never overlap."""
    written: list[Word] = []
    for number, axis in enumerate(axes):
        edge = view.edge(number)
        if edge is None:
            continue
        deep = 0.0
        size = SMALLER * type_
        for tick, at, away in _ticks(view, axis, edge):
            word = _beyond(Word(axis.said(tick), at, size), away, (TICK + GAP) * type_)
            deep = max(deep, word.reach(away))
            if not any(map(word.meets, written)):
                written.append(word)
        start, end = view.onto(edge)
        title = Word(axis.title, (start + end) / 2, type_, _upright(end - start, axis.title))
        written.append(_beyond(title, _outward(view, edge), (TICK + 2 * GAP) * type_ + 2 * deep))
    return written


def _ticks(view: View, axis: Axis, edge: Array) -> Iterator[tuple[float, Array, Array]]:
    """Each tick, its place on the page, and the direction away from the box."""
    away = _outward(view, edge)
    for tick in axis.ticks:
        share = (tick - axis.low) / (axis.high - axis.low)
        yield tick, view.onto(edge[0] + share * (edge[1] - edge[0])), away


def _outward(view: View, edge: Array) -> Array:
    start, end = view.onto(edge)
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
    normal = np.array([-along[1], along[0]])
    inside = view.onto(np.zeros(3)) - (start + end) / 2
    return -normal if normal @ inside > 0 else normal


def _beyond(word: Word, away: Array, distance: float) -> Word:
    """The word, moved until its nearer side is ``distance`` from its place."""
    return replace(word, at=word.at + away * (distance + word.reach(away)))


def _upright(along: Array, text: str) -> float:
    """The angle of a title along its axis, in degrees; one or two letters stay level."""
    angle = degrees(atan2(along[1], along[0]))
    angle -= 180 * round(angle / 180)
    if len(bare(text)) < 3:
        return 0.0
    return -90.0 if angle > 89 else angle


def bare(text: str) -> str:
    """The letters of a text, without Plotly's tags."""
    return re.sub("<[^>]*>", "", text)
