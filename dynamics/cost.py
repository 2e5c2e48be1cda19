"""Cost: operations of one step and memory of one network, from its sizes alone.

It is also what decides in which form a large problem is kept.
"""

from itertools import pairwise

from dynamics import kinds, registry
from dynamics.config import Config
from dynamics.spectrum import seen

OPTIMIZER_COPIES = {"momentum": 1, "rmsprop": 1, "adam": 2}  # numbers kept for each parameter


# Of a completion kept as a list: fraction observed at most, rows × cols at least.
SPARSEST, SMALLEST = 0.1, 250_000
GAIN = 4  # times narrower than the matrix, or many small products cost more than six large ones
SMALL = 150**2  # entries of a full target that cost less than measuring by its factors


def listed(config: Config) -> bool:
    """Whether a completion keeps its observed entries as a list, and no array of rows × cols.

    Measured in docs/performance.md: a list steps and measures faster from about 500 × 500 on if at
    most a tenth is observed. The original network has rows × cols parameters anyway.
    """
    few = config.observed <= SPARSEST and config.rows * config.cols >= SMALLEST
    return few and not kinds.wide(config)


def factored(config: Config) -> bool:
    """Whether a full target is kept as its factors alone: nothing then needs a whole matrix."""
    large = config.rows * config.cols > SMALL and not kinds.wide(config)
    return large and not config.noise


def gains_by_factors(shape: tuple[int, int], width: int, rank: int) -> bool:
    """Whether steps by the target's factors beat six products of rows × width × cols."""
    return GAIN * (width + rank) <= min(shape)


def by_factors(shape: tuple[int, int], width: int, rank: int, depth: int) -> float:
    """Operations of a step by the target's factors: four products with a stack, and small ones."""
    both, inner = width + rank, depth - 2
    small = (3 * both + 3 * width) * width**2 + 3 * (inner - 1) * width**3
    return 4.0 * sum(shape) * both * width + 2.0 * (small if inner else 0)


def _by_entries(config: Config) -> bool:
    low_rank = "spectrum" in registry.constant("problems", config.problem, "READS")
    return seen(config) == "list" or (seen(config) == "entries" and low_rank and listed(config))


def widths(config: Config, network: str) -> list[int]:
    """cols, the hidden widths and rows."""
    rows, cols = config.shape
    wide = config.width or min(rows, cols)
    hidden = config.rank_bound if kinds.narrow(network) else wide
    return [cols, *[hidden] * (config.depth - 1), rows]


def observed(config: Config) -> float:
    """How many entries or sums of entries are seen, on average over the masks."""
    rows, cols = config.shape
    if seen(config) == "sums":
        return float(config.measurements)
    share = 1.0 if seen(config) == "all" else config.observed
    return share * registry.constant("problems", config.problem, "ENTRIES", rows * cols)


def operations(config: Config, network: str) -> float:
    """Floating-point operations of one step, two for each multiplication of its products.

    Compressed, L ≥ 3: 6 rows cols r̂ + 6 cols r̂² + 6 (L − 3) r̂³, with 6 |Ω| r̂ in place of the first
    where only observed entries are touched; sensing adds 4 m rows cols; ``by_factors`` where the
    target's factors are what is stepped by.
    """
    cols, *hidden, rows = widths(config, network)
    width = hidden[0]
    shape, known = (rows, cols), seen(config) == "all" and not config.noise
    if known and gains_by_factors(shape, width, config.rank):
        return by_factors(shape, width, config.rank, config.depth)
    entries = observed(config) if _by_entries(config) else rows * cols
    total = 6.0 * entries * width
    if seen(config) == "sums":
        total += 4.0 * config.measurements * rows * cols
    if len(hidden) > 1:
        total += 6.0 * width * width * cols + 6.0 * (len(hidden) - 2) * width**3
    return total


def memory(config: Config, network: str) -> float:
    """Bytes of the factors, of the buffers and copies for training them, and of the data.

    Each factor is there with its gradient and what the optimizer keeps; products in between take
    2 width × cols and (2L − 5) width²; a masked problem keeps six arrays of rows × cols, a full one
    three, a list of entries about twelve numbers for each, sensing all its m matrices.
    """
    cols, *hidden, rows = widths(config, network)
    width, depth = hidden[0], config.depth
    parameters = sum(after * before for before, after in pairwise([cols, *hidden, rows]))
    copies = 2 + OPTIMIZER_COPIES.get(config.optimizer, 0)
    between = 2 * width * cols + max(0, 2 * depth - 5) * width**2
    data = 12 * observed(config) if _by_entries(config) else 6.0 * rows * cols
    if seen(config) == "all":
        data = 2.0 * config.rank * (rows + cols) if factored(config) else data / 2
    if seen(config) == "sums":
        data += config.measurements * rows * cols
    return (copies * parameters + between + data) * (8 if config.dtype == "float64" else 4)
