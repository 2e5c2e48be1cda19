"""Sizes of a printed chart, of its type and of its lines."""

from dataclasses import dataclass

POINTS = {"font": (4.0, 72.0), "line": (0.25, 10.0)}


@dataclass(frozen=True)
class Size:
    """Width and height in inches; usual type and lines in points; dots per inch of a PNG."""

    title: str
    width: float
    height: float
    font: float
    line: float
    dots: int = 300


SIZES = {
    "column": Size("One column, 3.25 in", 3.25, 2.4, 8, 1.0),
    "text": Size("Text width, 5.5 in", 5.5, 3.4, 9, 1.25),
    "page": Size("Two columns, 6.75 in", 6.75, 3.9, 9, 1.25),
    "slide": Size("Slide, 16:9", 40 / 3, 7.5, 24, 3.0, 144),
}


@dataclass(frozen=True)
class Print:
    """How a chart is printed.

    Attributes:
        size: one of ``SIZES``.
        font: size of type in points; 0 becomes the size's usual one.
        line: width of lines in points; 0 becomes the size's usual one.
        grey: whether all colours become greys.

    Raises:
        ValueError: with one sentence, for an unknown size or points out of range.
    """

    size: str = "column"
    font: float = 0.0
    line: float = 0.0
    grey: bool = False

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise ValueError(f"A size is one of {', '.join(SIZES)}; {self.size!r} was given.")
        for name, (low, high) in POINTS.items():
            points = getattr(self, name)
            suits = getattr(SIZES[self.size], name)
            if points and not low <= points <= high:
                raise ValueError(
                    f"{name} is {low:g} to {high:g} points, or 0 for the {suits:g} that suit the "
                    f"size; {points:g} was given."
                )
            object.__setattr__(self, name, float(points or suits))

    @property
    def framed(self) -> bool:
        """Whether the height is fixed: a slide is 16:9 for every chart."""
        return self.size == "slide"

    @property
    def inches(self) -> Size:
        """The size in inches."""
        return SIZES[self.size]
