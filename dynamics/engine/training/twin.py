"""Twin: a second training of a finished run whose start is one unit in the last place away.

Where the two differ, rounding decides: another program or processor would find other numbers. A
start from singular vectors is that of a surrogate one unit away, in which vectors without a
singular value of their own are different. A twin is moved by one more unit at each record that is
compared, as rounding moves a run at every step.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from dynamics.core import cost, registry, traits
from dynamics.core.config import Config
from dynamics.core.finite import NotFiniteError, finite
from dynamics.core.rates import rates
from dynamics.core.records import SMALL, Array, Trajectory
from dynamics.engine.factors import truncated
from dynamics.engine.measuring.measure import Measuring
from dynamics.engine.network import Network, build
from dynamics.engine.problem import Recovery
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.training.comparison import Comparison, prepare

COMPARED = ("train_loss", "recovery_error", "singular_values")
RECORDS = 60  # most records of a network that are compared
MOST = 3e10  # operations of the largest twin that is trained; one core makes them in some seconds
MOST_BYTES = 2**28  # of a problem and a network that are made a second time
OVERHEAD = 2e5  # operations that take as long as what a step does besides its products
ENOUGH = 0.1  # deviation after which a twin need not be trained further
Compared = dict[str, tuple[Array, Array]]  # by network: steps, and how far the twin is off at each


def compared(
    config: Config, recorded: Mapping[str, Trajectory], pause: Callable[[], None] = lambda: None
) -> Compared:
    """Train twins of the networks of a finished run, as far as they are affordable.

    Args:
        config: the settings of the run.
        recorded: what the run recorded, by network.
        pause: called between records; what it raises ends the training.

    Returns:
        The steps compared and the largest relative deviation of training loss, recovery error and
        the first r singular values at each: |x − y| / max(|y|, 10⁻⁶ of its scale). The scale is the
        first loss or error, and the largest singular value. A twin ends where it has parted.
        Networks whose twin is not trained, or never starts, are left out.
    """
    names = [name for name in recorded if affordable(config, name, recorded)]
    if not names:
        return {}
    comparison = prepare(config)
    if not isinstance(comparison.problem, Recovery):
        return {}
    found: Compared = {}
    for name in names:
        late = config.late if config.starts_late(name) else None
        network = comparison.networks[name]
        if traits.network(name).spectral and not late:
            moved = cast(Recovery, _Moved(comparison.problem))
            network.restore(build(name, config, moved).factors, {})
        if late:
            source = prepare(config).networks[late.source]
            _nudge(source)
            for _ in _trained(comparison, late.source, source, 0, [late.step]):
                pause()
            try:
                network.restore(truncated(source.factors, config.rank_bound), {})
            except NotFiniteError:  # the source's twin has diverged before it could be compressed
                continue
        else:
            _nudge(network)
        found[name] = _followed(comparison, name, network, recorded[name], pause)
    return found


def affordable(config: Config, name: str, recorded: Mapping[str, Trajectory]) -> bool:
    """Whether a network's twin takes at most ``MOST`` operations and ``MOST_BYTES`` of memory.

    This follows from the settings and the steps made, so the same run is checked on any machine.
    Exact reductions have no twin, nor has a network that tells classes apart.
    """
    if traits.problem(config.problem).classifies:
        return False
    kind = traits.network(name)
    steps = recorded[name].steps
    if kind.reduced or not len(steps) or cost.memory(config, name) > MOST_BYTES:
        return False
    rows, cols = config.shape
    wide = 0 if kind.narrow else 20.0 * rows * cols * min(rows, cols)  # of a decomposition
    late = config.late if config.starts_late(name) else None
    work = RECORDS * wide + float(steps[-1]) * (cost.operations(config, name) + OVERHEAD)
    if late:
        work += late.step * (cost.operations(config, late.source) + OVERHEAD)
    return work + 20.0 * rows * cols * min(rows, cols) <= MOST


def _followed(
    comparison: Comparison,
    name: str,
    network: Network,
    own: Trajectory,
    pause: Callable[[], None],
) -> tuple[Array, Array]:
    config = comparison.config
    chosen = _chosen(len(own.steps))
    steps = [int(own.steps[index]) for index in chosen]
    names = [each for each in COMPARED if each in own.series]
    scales = [_scale(own.series[each], config.rank) for each in names]
    measuring = Measuring(network, comparison.problem, _count(own), names)
    found: list[float] = []
    start = config.late.step if config.late and config.starts_late(name) else 0
    walk = _trained(comparison, name, network, start, steps)
    for index, _ in zip(chosen, walk, strict=False):
        pause()
        values = measuring.all()
        pairs = [(values[each], own.series[each][index]) for each in names]
        found.append(
            max(
                _off(np.ravel(a)[: config.rank], np.ravel(b)[: config.rank], scale)
                for (a, b), scale in zip(pairs, scales, strict=True)
            )
        )
        if found[-1] > ENOUGH or not math.isfinite(float(own.series["train_loss"][index])):
            break
        _nudge(network)
    return np.array(steps[: len(found)], float), np.array(found)


def _trained(
    comparison: Comparison, name: str, network: Network, start: int, steps: Sequence[int]
) -> Iterator[int]:
    """Trains a network from ``start`` on, and yields each of ``steps`` when it is reached."""
    config = comparison.config
    optimizer = registry.load("optimizers", config.optimizer)
    descent = fastest(network, comparison.problem, optimizer, comparison.learning_rate)
    done = start
    turns = [change.step for change in config.schedule]
    for goal in steps:
        while done < goal:
            now = rates(config, name, comparison.learning_rate, done)
            descent.learning_rate, descent.alpha = now.learning_rate, now.alpha
            end = min([goal, *(turn for turn in turns if turn > done)])
            descent.step(end - done)
            done = end
        yield done


def _chosen(count: int) -> list[int]:
    """Numbers of at most RECORDS of ``count`` records: evenly spread, and more at the start."""
    even = np.linspace(0, count - 1, RECORDS * 2 // 3)
    early = np.geomspace(1, count, RECORDS // 3) - 1
    return sorted({round(float(number)) for number in (*even, *early)})


def _count(own: Trajectory) -> int:
    return int(own.series["singular_values"].shape[1])


def _scale(values: Array, rank: int) -> float | None:
    """The first value of a series of numbers; None for several values, whose largest counts."""
    return float(values[0]) if values.ndim == 1 else None


def _off(twin: Array, own: Array, scale: float | None) -> float:
    """The largest relative deviation; 0 if neither is finite, infinite if only one is."""
    if not (np.isfinite(twin).all() and np.isfinite(own).all()):
        return 0.0 if not np.isfinite(twin).all() and not np.isfinite(own).all() else math.inf
    largest = float(np.abs(own).max()) if scale is None else scale
    size = np.maximum(np.abs(own), SMALL * largest)
    return float((np.abs(twin - own) / np.where(size > 0, size, 1)).max())


class _Moved:
    """A problem whose surrogate is one unit in the last place of its largest entry away."""

    def __init__(self, problem: Recovery) -> None:
        self._problem = problem
        self.shape = problem.shape

    def surrogate(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """The first ``count`` singular triplets (left, values, right)."""
        left, values, right = self._problem.surrogate(min(self.shape))
        matrix = _moved(left * values @ right)
        left, values, right = torch.linalg.svd(finite(matrix), full_matrices=False)
        return left[:, :count], values[:count], right[:count]

    def backbone(self) -> None:
        """None: a matrix is recovered without a backbone."""


def _nudge(network: Network) -> None:
    """Move each number of each factor by one unit in the last place of the largest, up or down."""
    for factor in network.factors:
        factor.copy_(_moved(factor))


def _moved(matrix: Tensor) -> Tensor:
    """The same with each number moved, up or down at random."""
    signs = 2 * torch.randint(2, matrix.shape, generator=torch.Generator().manual_seed(0)) - 1
    unit = torch.finfo(matrix.dtype).eps * matrix.abs().max()
    return matrix + unit * signs.to(matrix)
