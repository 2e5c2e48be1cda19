"""What a paper figure is: the runs behind it, its curves, and its numbers beside the authors'.

A file of ``papers/`` has ``SOURCE`` (the authors' file that shows it), ``CONFIGS`` (the settings of
each run by label), ``CURVES`` (what is held against the authors' arrays), ``draw(found)`` for its
panels from left to right and, where there are more numbers than curves, ``checks(found)``.
``BORROWED`` says which settings were not published with it, ``PUBLISHED`` has numbers that are no
arrays, ``BESIDE`` names the run whose problem other methods learn too. ``reproduce`` runs,
``judge`` judges.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dynamics.core.records import Array, Trajectory
from dynamics.core.words import plain, raised

AGREES, DIFFERS, UNPUBLISHED = "agrees", "differs", "no number published"
TOLERANCE = 1e-8  # of a curve; whatever is looser is a fault
SMALL = 1e-6  # of a quantity's maximum: below it rounding decides
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
BAND = (25, 50, 75)  # percentiles over seeds


@dataclass(frozen=True)
class Curve:
    """One line: a series of one network in one run, and the authors' array that it should meet."""

    label: str
    run: str
    network: str
    series: str = "test_loss"
    index: tuple[int, ...] = ()
    published: str = ""
    shade: float = 0.0


@dataclass(frozen=True)
class Found:
    """What the runs of a figure have given.

    Attributes:
        runs: for each label the trajectories by network, once for each seed.
        published: the authors' arrays; empty where the draws are not theirs.
        beside: what other methods give, as of ``baselines``, once for each seed where it is asked.
    """

    runs: Mapping[str, Sequence[Mapping[str, Trajectory]]]
    published: Mapping[str, Array] = field(default_factory=dict)
    beside: Sequence[Mapping[str, Array]] = ()

    @property
    def seeds(self) -> int:
        """Over how many seeds the figure is drawn."""
        return min((len(each) for each in self.runs.values()), default=0)

    def of(self, run: str, network: str) -> list[Trajectory]:
        """A network's trajectories in one run, one a seed."""
        return [each[network] for each in self.runs[run]]

    def one(self, run: str, network: str) -> Trajectory:
        """The trajectory of the first seed."""
        return self.of(run, network)[0]


@dataclass(frozen=True)
class Check:
    """One number beside the authors': equal if they are at most ``allowed`` apart.

    A deviation is published as 0. Without a published number it is only told. ``reason`` is what
    is known of a difference. Over several seeds ``found`` is the median, between ``quartiles``.
    """

    what: str
    found: float
    published: float | None = None
    allowed: float = 0.0
    reason: str = ""
    quartiles: tuple[float, float] | None = None

    @property
    def told(self) -> str:
        """What was found, in words, with the quartiles if there are any."""
        if self.quartiles is None:
            return said(self.found)
        return f"{said(self.found)} ({' to '.join(map(said, self.quartiles))})"

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
        if not self.published and self.allowed:
            return f"{self.what} is {said(self.found)}, more than {raised(f'{self.allowed:.0e}')}"
        known = f" ({self.reason})" if self.reason else ""
        found, published = (raised(f"{each:.6g}") for each in (self.found, self.published))
        return f"{self.what} is {found}, published is {published}{known}"


def verdict(checks: Iterable[Check]) -> str:
    """Of a whole figure: it differs if any number does, and agrees if any published one is met."""
    verdicts = {check.verdict for check in checks}
    return next((each for each in (DIFFERS, AGREES) if each in verdicts), UNPUBLISHED)


def curve_checks(found: Found, curves: Sequence[Curve]) -> Iterator[Check]:
    """For each curve the record at which it stops, and its largest deviation from the authors'.

    Stop records do not count the initial one.
    """
    stopped = set()
    for curve in curves:
        got = values(found.one(curve.run, curve.network), curve)
        wanted = found.published.get(curve.published)
        if (curve.run, curve.network) not in stopped:
            stopped.add((curve.run, curve.network))
            theirs = None if wanted is None else len(wanted) - 1
            yield Check(f"last record, {curve.label}", len(got) - 1, theirs)
        if wanted is not None:
            worst = deviation(got, wanted)
            what = curve.series.replace("_", " ")
            yield Check(f"largest deviation of the {what}, {curve.label}", worst, 0.0, TOLERANCE)


def over_seeds(of: Sequence[Sequence[Check]]) -> list[Check]:
    """The checks of each seed as one list: medians and quartiles of what was found."""
    return [
        _over([{each.what: each for each in checks}[first.what] for checks in of])
        for first in of[0]
    ]


def _over(checks: Sequence[Check]) -> Check:
    """What is never reached lies beyond every number."""
    found = np.array([math.inf if math.isnan(each.found) else each.found for each in checks])
    with np.errstate(invalid="ignore"):  # between two that are never reached
        low, middle, high = np.percentile(found, BAND)
    values = [float(each) if math.isfinite(each) else math.nan for each in (low, middle, high)]
    return replace(checks[0], found=values[1], quartiles=(values[0], values[2]))


def deviation(got: Array, wanted: Array) -> float:
    """max |x − y| / max(|y|, 10⁻⁶ max|y|) over the records; infinite if those are not as many."""
    if got.shape != wanted.shape or not np.isfinite(got).all():
        return math.inf
    scale = np.maximum(np.abs(wanted), SMALL * np.abs(wanted).max())
    return float(np.max(np.abs(got - wanted) / scale))


def losses(
    label: str, run: str, network: str, prefix: str, shade: float = 0.0
) -> tuple[Curve, Curve]:
    """Test and train loss of a network; the authors' arrays have these names after ``prefix``."""
    test, train = (
        Curve(label, run, network, series, (), f"{prefix}_{series}", shade)
        for series in ("test_loss", "train_loss")
    )
    return test, train


def values(trajectory: Trajectory, curve: Curve) -> Array:
    """A curve's numbers, one a record."""
    entry: Any = (slice(None), *curve.index)
    return np.asarray(trajectory.series[curve.series][entry])


def band(trajectories: Sequence[Trajectory], curve: Curve) -> tuple[Array, Array]:
    """Steps T, and 3 × T: lower quartile, median and upper quartile over the seeds.

    A network that has ended keeps its last value.
    """
    steps = np.unique(np.concatenate([each.steps for each in trajectories]))
    held = [
        values(each, curve)[np.searchsorted(each.steps, steps, side="right") - 1]
        for each in trajectories
    ]
    return steps, np.percentile(np.array(held), BAND, axis=0)


def reached(trajectory: Trajectory, series: str, level: float) -> float:
    """The first step at which a series is at or below ``level``; NaN if it never is."""
    index = trajectory.first_at(series, level)
    return math.nan if index is None else float(trajectory.steps[index])


def growth(found: Found, run: str) -> Iterator[Check]:
    """The steps at which the first and the last of the target's singular values are half grown."""
    for network, trajectory in found.runs[run][0].items():
        wanted = trajectory.facts["target_singular_values"]
        for mode in sorted({0, len(wanted) - 1}):
            grown = trajectory.series["singular_values"][:, mode] >= wanted[mode] / 2
            step = float(trajectory.steps[int(np.argmax(grown))]) if grown.any() else math.nan
            yield Check(
                f"step at which σ{str(mode + 1).translate(LOWERED)} is half grown, {network}", step
            )


def said(value: float) -> str:
    """As a table writes it; ``never`` for what is not reached."""
    if math.isnan(value):
        return "never"
    return plain(value) if math.isfinite(value) else "∞"
