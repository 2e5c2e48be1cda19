"""What a paper figure is: the runs behind it, its curves, and its numbers beside the authors'.

A file of ``figures/`` has

- ``SOURCE``: the authors' file that shows the figure,
- ``CAPTION``: what its panels show, a sentence for the caption of a file,
- ``CONFIGS``: the settings of each run by label,
- ``CURVES``: the curves that are compared with the authors' arrays,
- ``draw(found)``: its panels from left to right,

and where they are needed

- ``checks(found)``: numbers to compare besides the curves,
- ``BORROWED``: a sentence on settings that were not published with the figure,
- ``PUBLISHED``: published numbers that are not in arrays,
- ``BESIDE``: the label of the run whose data other methods learn, too.

``plan`` lists the runs that a figure needs, and ``judge`` judges it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from dynamics.core.records import Array, Trajectory, deviations
from dynamics.core.seeds import QUARTILES
from dynamics.core.words import subscript
from dynamics.paper.check import DEVIATION, RECORD, Check, over_seeds

TOLERANCE = 1e-8  # largest relative deviation of a curve that is not a fault


@dataclass(frozen=True)
class Curve:
    """One line of a panel.

    Attributes:
        label: the line's name in the legend.
        run: the label of a run.
        network: a network of that run.
        series: a measurement of that network.
        index: which entry of the measurement, if it is not a single number.
        published: name of the authors' array for this line; empty if none exists.
        shade: 0 for the network's own colour, up to 1 for white.
    """

    label: str
    run: str
    network: str
    series: str = "test_loss"
    index: tuple[int, ...] = ()
    published: str = ""
    shade: float = 0.0


@dataclass(frozen=True)
class Found:
    """What the runs of a figure have recorded, and what it is compared with.

    Attributes:
        runs: for each label the trajectories by network, once for each seed.
        published: the authors' arrays; empty if the draws are not theirs.
        beside: what other methods make of the same data, once for each seed; see ``baselines``.
            Empty for a figure without ``BESIDE``.
    """

    runs: Mapping[str, Sequence[Mapping[str, Trajectory]]]
    published: Mapping[str, Array] = field(default_factory=dict)
    beside: Sequence[Mapping[str, Array]] = ()

    @property
    def seeds(self) -> int:
        """The number of seeds over which the figure is drawn."""
        return min((len(of_run) for of_run in self.runs.values()), default=0)

    def seed(self, number: int) -> "Found":
        """What the runs of one seed have recorded, counted from 0."""
        runs = {label: of_run[number : number + 1] for label, of_run in self.runs.items()}
        return Found(runs, self.published, self.beside[number : number + 1])

    def of(self, run: str, network: str) -> list[Trajectory]:
        """A network's trajectories in one run, one per seed."""
        return [trajectories[network] for trajectories in self.runs[run]]

    def one(self, run: str, network: str) -> Trajectory:
        """The trajectory of the first seed."""
        return self.of(run, network)[0]


def all_checks(figure: ModuleType, found: Found) -> list[Check]:
    """Every number of a figure; over several seeds, medians."""
    if found.seeds > 1:
        return over_seeds([all_checks(figure, found.seed(i)) for i in range(found.seeds)])
    own = figure.checks(found) if hasattr(figure, "checks") else []
    return [*curve_checks(found, figure.CURVES), *own]


def curve_checks(found: Found, curves: Sequence[Curve]) -> Iterator[Check]:
    """For each curve its last record, counted from 0, and its deviation from the authors' curve."""
    stopped = set()
    for curve in curves:
        ours = values(found.one(curve.run, curve.network), curve)
        theirs = found.published.get(curve.published)
        if (curve.run, curve.network) not in stopped:
            stopped.add((curve.run, curve.network))
            last = None if theirs is None else len(theirs) - 1
            yield Check(f"last record, {curve.label}", len(ours) - 1, last, kind=RECORD)
        if theirs is not None:
            what = f"{curve.series.replace('_', ' ')}, {curve.label}"
            yield deviation_check(what, deviation(ours, theirs))


def deviation_check(what: str, worst: float) -> Check:
    """The check that ``worst``, the largest relative deviation of a quantity, is only rounding."""
    return Check(f"largest deviation of the {what}", worst, 0.0, TOLERANCE, kind=DEVIATION)


def deviation(ours: Array, theirs: Array) -> float:
    """max |x − y| / max(|y|, 10⁻⁶ max|y|) over the records; infinite if the lengths differ."""
    if ours.shape != theirs.shape or not np.isfinite(ours).all():
        return math.inf
    return float(np.max(deviations(ours, theirs)))


def losses(
    label: str, run: str, network: str, prefix: str, shade: float = 0.0
) -> tuple[Curve, Curve]:
    """The curves of a network's test and train loss; ``prefix`` begins the authors' names."""
    test, train = (
        Curve(label, run, network, series, (), f"{prefix}_{series}", shade)
        for series in ("test_loss", "train_loss")
    )
    return test, train


def values(trajectory: Trajectory, curve: Curve) -> Array:
    """The numbers of a curve, one per record."""
    entry: Any = (slice(None), *curve.index)
    return np.asarray(trajectory.series[curve.series][entry])


def band(trajectories: Sequence[Trajectory], curve: Curve) -> tuple[Array, Array]:
    """T steps, and 3 × T numbers: lower quartile, median and upper quartile over the seeds.

    A network that has ended keeps its last value.
    """
    steps = np.unique(np.concatenate([trajectory.steps for trajectory in trajectories]))
    by_seed = [
        values(trajectory, curve)[np.searchsorted(trajectory.steps, steps, side="right") - 1]
        for trajectory in trajectories
    ]
    return steps, np.percentile(np.array(by_seed), QUARTILES, axis=0)


def growth(found: Found, run: str) -> Iterator[Check]:
    """The steps at which the first and the last of the target's singular values are half grown."""
    for network, trajectory in found.runs[run][0].items():
        goals = trajectory.facts["target_singular_values"]
        for mode in sorted({0, len(goals) - 1}):
            grown = trajectory.series["singular_values"][:, mode] >= goals[mode] / 2
            step = float(trajectory.steps[int(np.argmax(grown))]) if grown.any() else math.nan
            number = subscript(mode + 1)
            yield Check(f"step at which σ{number} is half grown, {network}", step)
