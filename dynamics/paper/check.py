"""Check: one number of a figure beside the authors', and the verdict that follows."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dynamics.core.records import Array
from dynamics.core.seeds import FEW, QUARTILES
from dynamics.core.words import plain, raised

AGREES, DIFFERS, UNPUBLISHED = "agrees", "differs", "no number published"
RECORD, DEVIATION = "record", "deviation"  # kinds of checks


@dataclass(frozen=True)
class Check:
    """One number found here beside the authors'.

    Attributes:
        what: the number's name in words.
        found: the number found here, over several seeds the median; NaN if it was never reached.
        published: the authors' number; None if they gave no number, 0 for a deviation.
        allowed: largest difference at which both still agree.
        reason: what is known about a difference.
        quartiles: of the numbers found over seeds; None for fewer than ``FEW``.
        each: the numbers found, where quartiles of several seeds are missing.
        kind: ``RECORD`` if it counts records, ``DEVIATION`` if it is a relative deviation.
    """

    what: str
    found: float
    published: float | None = None
    allowed: float = 0.0
    reason: str = ""
    quartiles: tuple[float, float] | None = None
    each: tuple[float, ...] = ()
    kind: str = ""

    @property
    def words(self) -> str:
        """The number found; over several seeds, with the quartiles or with each seed's number."""
        if self.quartiles is not None:
            return f"{said(self.found)} ({' to '.join(map(said, self.quartiles))})"
        return said(self.found) + f" ({', '.join(map(said, self.each))})" * bool(self.each)

    @property
    def verdict(self) -> str:
        """``agrees``, ``differs`` or ``no number published``."""
        if self.published is None:
            return UNPUBLISHED
        return AGREES if abs(self.found - self.published) <= self.allowed else DIFFERS

    @property
    def why(self) -> str:
        """What differs, in words; empty where nothing does."""
        if self.verdict != DIFFERS:
            return ""
        if self.kind == DEVIATION:
            return f"{self.what} is {said(self.found)}, more than {raised(f'{self.allowed:.0e}')}"
        reason = f" ({self.reason})" if self.reason else ""
        found, published = (raised(f"{value:.6g}") for value in (self.found, self.published))
        return f"{self.what} is {found}, published is {published}{reason}"


def verdict(checks: Iterable[Check]) -> str:
    """The verdict of a figure: it differs if any number does, or agrees if any is published."""
    verdicts = {check.verdict for check in checks}
    if DIFFERS in verdicts:
        return DIFFERS
    return AGREES if AGREES in verdicts else UNPUBLISHED


def over_seeds(checks_of_seeds: Sequence[Sequence[Check]]) -> list[Check]:
    """One list from the checks of all seeds: medians of the numbers found."""
    by_seed = [{check.what: check for check in checks} for checks in checks_of_seeds]
    return [_over([checks[what] for checks in by_seed]) for what in by_seed[0]]


def _over(checks: Sequence[Check]) -> Check:
    """The median, and what is around it; a step that is never reached counts as the largest."""
    found = np.sort([math.inf if math.isnan(check.found) else check.found for check in checks])
    low, middle, high = (_percentile(found, percent) for percent in QUARTILES)
    if len(found) >= FEW:
        return replace(checks[0], found=middle, quartiles=(low, high))
    return replace(checks[0], found=middle, each=tuple(check.found for check in checks))


def _percentile(found: Array, percent: float) -> float:
    """A percentile of ascending numbers; NaN where it is, or lies beside, infinity."""
    place = (len(found) - 1) * percent / 100
    value = np.interp(place, np.arange(len(found)), found)  # at a number, it asks no neighbour
    return float(value) if math.isfinite(value) else math.nan


def said(value: float) -> str:
    """A number as a table writes it; ``never`` for NaN."""
    return plain(value, missing="never", endless="∞")
