"""Cost: operations of a start and of a step, and memory of one network, from its sizes alone.

The same numbers decide in which form a large problem is stored.
"""

import math
from itertools import pairwise

import psutil

from dynamics.core import traits
from dynamics.core.changes import LateStart
from dynamics.core.config import Config
from dynamics.core.sizes import observed, seen, wide, widths

SPARSEST = 0.1  # largest observed fraction of a completion that is stored as a list
SMALLEST = 250_000  # least rows × cols of a completion that is stored as a list
# The matrix's smaller side must be this many times the width plus the rank; otherwise the many
# small products of a step by the target's factors cost more than six large products.
GAIN = 4
AHEAD = 2  # most records by which training may be ahead of measuring
# Copies of a network's first factors that measuring keeps, by whether the network is narrow.
STARTS = {True: 2, False: 4}
SHARE = 0.5  # share of the free memory beyond which measurements are read from a file
# Products of the observed entries with a vector that Lanczos iteration needs for each triplet. Over
# completions of 500 × 500 to 2,000 × 2,000 it needed 15 to 31.
PRODUCTS = 20
SMALL = 150**2  # up to this many entries, a full target costs less than measuring by its factors


def listed(config: Config) -> bool:
    """Whether a completion stores its observed entries as a list, and no array of rows × cols.

    Measured in docs/performance.md: a list steps and measures faster from about 500 × 500 on if at
    most a tenth of the entries is observed. The original network has rows × cols parameters anyway.
    """
    few = config.observed <= SPARSEST and config.rows * config.cols >= SMALLEST
    return few and not wide(config)


def factored(config: Config) -> bool:
    """Whether a full target is stored as its factors alone: nothing then needs a whole matrix."""
    large = config.rows * config.cols > SMALL and not wide(config)
    return large and not config.noise


def gains_by_factors(shape: tuple[int, int], width: int, rank: int) -> bool:
    """Whether steps by the target's factors beat six products of rows × width × cols."""
    return GAIN * (width + rank) <= min(shape)


def by_factors(shape: tuple[int, int], width: int, rank: int, depth: int) -> float:
    """Operations of a step by the target's factors: four stacked products, and small products."""
    both = width + rank
    inner = depth - 2
    small = (3 * both + 3 * width) * width**2 + 3 * (inner - 1) * width**3
    return 4.0 * sum(shape) * both * width + 2.0 * (small if inner else 0)


def dense_sums(shape: tuple[int, int], count: int, width: int) -> float:
    """Operations of a step: its products with W and R, and two passes over all A_i."""
    rows, cols = shape
    return 6.0 * rows * cols * width + 4.0 * count * rows * cols


def thin(shape: tuple[int, int], count: int, width: int) -> bool:
    """Whether multiplying the factors by a_i and b_i takes fewer operations than ``dense_sums``."""
    return 4.0 * count * sum(shape) * width < dense_sums(shape, count, width)


def rank_one_sums(shape: tuple[int, int], count: int, width: int) -> float:
    """Operations of a step on sums by a_i b_iᵀ: four products with the a_i and b_i if ``thin``.

    Otherwise the step makes the residual matrix, as ``dense_sums`` counts it.
    """
    whole = dense_sums(shape, count, width)
    return 4.0 * count * sum(shape) * width if thin(shape, count, width) else whole


def filed(config: Config) -> bool:
    """Whether measurements are kept in a file, because all A_i exceed half of the free memory."""
    size = config.measurements * math.prod(config.shape) * number(config)
    dense = seen(config) == "sums" and config.sensing == "gaussian"
    return dense and size > SHARE * psutil.virtual_memory().available


def number(config: Config) -> int:
    """Bytes of one floating-point number."""
    return 8 if config.dtype == "float64" else 4


def _by_entries(config: Config) -> bool:
    problem = traits.problem(config.problem)
    return problem.seen == "list" or (
        problem.seen == "entries" and problem.low_rank and listed(config)
    )


def operations(config: Config, network: str) -> float:
    """Floating-point operations of one step, two for each multiplication in its matrix products.

    The network recovers a matrix: what a backbone needs follows from its module alone.

    For the compressed network with L ≥ 3: 6 rows cols r̂ + 6 cols r̂² + 6 (L − 3) r̂³. If a step
    touches only observed entries, the first term is 6 |Ω| r̂. Gaussian sensing adds 4 m rows cols;
    rank-one sensing has 4 m (rows + cols) r̂ instead. Correlated inputs add 2 rows cols². For known
    factors of the target, see ``by_factors``.
    """
    cols, *hidden, rows = widths(config, network)
    width = hidden[0]
    shape = (rows, cols)
    known = seen(config) == "all" and not config.noise
    if known and gains_by_factors(shape, width, config.rank):
        return by_factors(shape, width, config.rank, config.depth)
    if seen(config) == "sums":
        sums = dense_sums if config.sensing == "gaussian" else rank_one_sums
        total = sums(shape, config.measurements, width)
    else:
        total = 6.0 * (observed(config) if _by_entries(config) else rows * cols) * width
    if seen(config) == "inputs":
        total += 2.0 * rows * cols**2
    if len(hidden) > 1:
        total += 6.0 * width * width * cols + 6.0 * (len(hidden) - 2) * width**3
    return total


def start(config: Config, network: str) -> float:
    """Operations of a network's first factors: of the surrogate's SVD, for a spectral start.

    For a network that starts late, those of cutting the original's factors to r̂. 0 for a random
    start: the QR decompositions of orthogonal factors take about as much as one step of the same
    network, and other starts need none. The program makes the SVD of the whole matrix (see
    ``svd``); for sensing it first adds up Σ y_i A_i, in 2 m rows cols operations. A list of entries
    is decomposed by Lanczos iteration (see ``lanczos``). For a full target that is stored as its
    factors, the program completes their singular vectors to max(r, r̂) orthonormal columns (see
    ``qr``). For images, the engine adds the pass over all of them (``Task.look``).
    """
    if config.starts_late(network):
        return _truncation(config, LateStart.source)
    if not traits.network(network).spectral:
        return 0.0
    rows, cols = config.shape
    count = min(widths(config, network)[1], rows, cols)
    if seen(config) == "all" and factored(config):
        return sum(qr(side, max(config.rank, count)) for side in config.shape)
    if _by_entries(config) and count < min(rows, cols) - 1:
        return lanczos(observed(config), min(rows, cols), count)
    sums = 2.0 * config.measurements * rows * cols if seen(config) == "sums" else 0.0
    return sums + svd(rows, cols)


def _truncation(config: Config, network: str) -> float:
    """Operations of cutting a network's factors to the width r̂ (see ``factors.truncated``).

    They are those of the product of its factors, of the product's SVD, and, for each factor, of its
    product with r̂ columns and of a QR decomposition.
    """
    cols, *hidden, rows = widths(config, network)
    sizes = list(pairwise([cols, *hidden, rows]))
    order = sizes if cols < rows else sizes[::-1]  # the product is made from the narrower side
    whole = sum(2.0 * before * after * min(rows, cols) for before, after in order[1:])
    kept = sum(
        2.0 * before * after * config.rank_bound + qr(after, config.rank_bound)
        for before, after in sizes
    )
    return whole + svd(rows, cols) + kept


def svd(rows: int, cols: int) -> float:
    """Operations of the thin SVD of a rows × cols matrix: min(14 m n² + 8 n³, 6 m n² + 20 n³).

    m is the larger side and n the smaller. The two terms are those of Golub and Reinsch's method
    and of a QR decomposition before it (Golub and Van Loan, Matrix Computations, 4th edition,
    figure 8.6.1). LAPACK's divide and conquer, which the program calls, counts as one of them.
    """
    long, short = max(rows, cols), min(rows, cols)
    return min(14.0 * long * short**2 + 8.0 * short**3, 6.0 * long * short**2 + 20.0 * short**3)


def qr(rows: int, cols: int) -> float:
    """Operations of a thin QR decomposition by Householder reflections: 4 m n² − (4/3) n³."""
    return 4.0 * rows * cols**2 - 4 / 3 * cols**3


def lanczos(entries: float, side: int, count: int) -> float:
    """Operations of ``count`` singular triplets by Lanczos iteration on a list of entries.

    Each triplet takes about PRODUCTS products with a vector, of two operations an entry. After each
    second one, the new vector, as long as the smaller ``side``, is made orthogonal to the others
    (1.5 ``count`` in the mean) twice, by four operations for each of their numbers. How many
    products a matrix needs follows from its singular values: the estimate is within a factor of
    two.
    """
    products = float(PRODUCTS * count)
    return products * 2.0 * entries + products / 2 * 2 * 4.0 * 1.5 * count * side


def memory(config: Config, network: str) -> float:
    """Bytes of the factors, of the buffers and copies for training them, and of the data.

    Each factor has a gradient and the numbers that the optimizer keeps. Products of factors take
    2 width × cols and (2L − 5) width² numbers. A masked problem keeps six arrays of rows × cols, a
    full problem three, a list of entries about twelve numbers an entry. Sensing keeps three arrays
    and its measurements: the two vectors of each, or all m matrices unless they are in a file.
    Measuring keeps about STARTS copies of the first factors. Each record that is being measured,
    at most AHEAD + 1, has a copy of the factors and of what the optimizer keeps.
    """
    cols, *hidden, rows = widths(config, network)
    width = hidden[0]
    depth = config.depth
    parameters = sum(after * before for before, after in pairwise([cols, *hidden, rows]))
    moved = 1 + traits.optimizer(config.optimizer).keeps
    copies = moved + 1 + (AHEAD + 1) * moved + STARTS[traits.network(network).narrow]
    between = 2 * width * cols + max(0, 2 * depth - 5) * width**2
    data = 12 * observed(config) if _by_entries(config) else 6.0 * rows * cols
    if seen(config) == "all":
        data = 2.0 * config.rank * (rows + cols) if factored(config) else data / 2
    if seen(config) == "sums":
        data = 3.0 * rows * cols + (0 if filed(config) else _measurements(config))
    return (copies * parameters + between + data) * number(config)


def _measurements(config: Config) -> float:
    """How many numbers all A_i have, or their vectors a_i and b_i."""
    rows, cols = config.shape
    return config.measurements * (rows * cols if config.sensing == "gaussian" else rows + cols)
