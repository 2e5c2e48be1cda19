"""Sizes: widths of a config's networks, and how much of the matrix its problem shows."""

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.core.contents import entries


def widths(config: Config, network: str) -> list[int]:
    """Widths of a network from input to output: cols, the hidden widths, rows."""
    rows, cols = config.shape
    kind = traits.network(network)
    hidden = config.rank_bound if kind.narrow else config.full_width
    return [cols, *[hidden] * ((kind.depth or config.depth) - 1), rows]


def wide(config: Config) -> bool:
    """Whether a network with whole factors of the original width is trained."""
    kinds = [traits.network(name) for name in config.networks]
    return any(not kind.narrow and not kind.reduced for kind in kinds)


def seen(config: Config) -> str:
    """What is seen of the matrix: ``all``, ``entries``, a ``list``, ``sums`` or ``images``.

    ``inputs`` if all of it is seen, but through inputs that are correlated.
    """
    problem = traits.problem(config.problem)
    correlated = "input_correlation" in problem.reads and config.input_correlation
    return "inputs" if correlated else problem.seen


def shown(config: Config) -> float:
    """Share of the entries that is trained on: p, less a validation part."""
    apart = config.validation if "validation" in traits.problem(config.problem).reads else 0.0
    return config.observed * (1 - apart)


def observed(config: Config) -> float:
    """Number of entries that are trained on, the mean over all masks; for sensing, of sums."""
    rows, cols = config.shape
    problem = traits.problem(config.problem)
    if problem.seen == "sums":
        return float(config.measurements)
    share = 1.0 if problem.seen == "all" else shown(config)
    return share * (entries(config.problem, config.dataset) or rows * cols)


def freedom(config: Config) -> int:
    """r(m + n − r), the free parameters of a matrix of the config's rank."""
    return config.rank * (sum(config.shape) - config.rank)


def enough_seen(config: Config) -> bool:
    """Whether as many entries or sums are seen as a low-rank target has free parameters.

    True for a target without a known rank.
    """
    low_rank = traits.problem(config.problem).low_rank
    return not low_rank or observed(config) >= freedom(config)


def held_out(config: Config) -> bool:
    """Whether some of the matrix is not determined by what is seen, or images are held out."""
    if traits.problem(config.problem).classifies:
        return True
    rows, cols = config.shape
    return seen(config) != "all" and observed(config) < rows * cols


def curvature(config: Config) -> float:
    """c in −∇loss(0) ≈ c M*: 1/m for sums, else 1/(rows × cols)."""
    rows, cols = config.shape
    return 1 / config.measurements if seen(config) == "sums" else 1 / (rows * cols)
