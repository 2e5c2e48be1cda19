"""Plateau: how W grows before a network that tells classes apart begins to learn.

While W is small, the loss is ln K − ⟨S, W⟩ + ⟨W, C W⟩/(2K). S = −∇loss(W = 0) = Σ s_i u_i v_iᵀ, and
C = (1/n) Σ h hᵀ are the second moments of the features. The gradient reaches the directions u_i
and C u_i of the features and v_i of the classes, so any width is simulated by factors that are at
most three times as wide as S has modes.

A backbone that learns follows the gradient of ⟨S, W⟩ = Σ s_i w_i, where w_i = u_iᵀ W v_i. To first
order each s_i then grows by ρη Σ_j ⟨∇s_i, ∇s_j⟩ w_j a step.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.core.finite import finite
from dynamics.core.rates import Rates
from dynamics.core.rates import turns as turns_of
from dynamics.core.records import Array
from dynamics.core.sizes import widths
from dynamics.theory.prediction import (
    ABOVE,
    CUT,
    FIRST_ORDER,
    HEURISTIC,
    SMALL_W,
    TURNED,
    UNKNOWN,
    Facts,
    Prediction,
    broken_by,
)

BEGUN, OVER = 0.02, 0.1  # shares of ln K by which the loss has fallen; the second ends the plateau
SMALL = 0.01  # most fall of the loss, as a share of ln K, that a small spectral start makes
QUIET = 0.3  # largest ε^L of a small random start, whose W hardly moves the loss
STRIDE = 0.004  # largest relative change of a factor in a stride of several steps
LONGEST = 10**9  # steps of a stride
CALM = 10  # times the memory of the momentum, 1/(1 − β) steps, in which it fills up
MOST_STRIDES = 8000  # after these a plateau is given up
POINTS = 200  # points of a course
FAR = 1e100  # numbers of W that add up to more are no course any longer
NOTHING = 1e-9  # share of the largest below which a square of the overlaps is rounding
BENT = 0.35  # share of ⟨S, W⟩ from which the third order counts, too
FEW = 20  # steps below which a plateau is so short that each step changes W by much
MUCH = 0.5  # share of a frozen backbone's plateau below which the features change by much
QUICK = "The plateau takes so few steps that each changes W by much."
HARD = (
    "The classes are hard to tell apart, so W is no longer small when the loss has fallen: behind "
    "a frozen backbone such forecasts were up to 14 % off, and behind few features or one that "
    "learns by up to a factor of two."
)
LOOK = "The gradient at W = 0 is known once the images have gone through the backbone."
HIDDEN = "Theory has no forecast for a hidden layer."
LARGE = "ε is so large that W is not small at the start, so there is no plateau."
CHANGED = "The backbone changes the features by much meanwhile."
LEARNS = (
    "At most about {:,.0f} steps: that is how long it takes behind a backbone that does not learn, "
    "and what this one learns meanwhile makes the gap."
)
ALONE = "The backbone learns meanwhile; behind one that does not, the plateau would not end."
UNMEASURED = "This run did not measure how its backbone learns; a new one does."


@dataclass(frozen=True)
class Plateau:
    """A network's course until its loss has fallen by the share OVER of ln K.

    Attributes:
        steps: T steps.
        values: T × modes, the singular values σ_i of W, largest first.
        fallen: T shares of ln K by which the loss has fallen.
        bent: share of ⟨S, W⟩ that ⟨W, C W⟩/(2K) takes away at the last step.
        diverges: whether it ends because W grows beyond all bounds: η is too large.
    """

    steps: Array
    values: Array
    fallen: Array
    bent: float = 0.0
    diverges: bool = False

    def end(self, share: float) -> float:
        """The step at which the loss has fallen by a share of ln K; infinity if it never does."""
        if not self.fallen[-1] >= share:
            return math.inf
        number = int(np.argmax(self.fallen >= share))
        if not number:
            return 0.0
        around = slice(number - 1, number + 1)
        return float(np.interp(share, self.fallen[around], self.steps[around]))


def followed(config: Config, facts: Facts, network: str) -> Plateau | None:
    """The plateau of a network of a run; None if theory does not cover it, see ``predicted``."""
    if _missing(config, facts, network):
        return None
    course = _course(config, facts, network)
    return None if course.diverges else course


def predicted(config: Config, facts: Facts, network: str) -> Prediction:
    """The steps at which the loss has fallen by 2 and by 10 % of ln K, the end of the plateau.

    ``small-W``: with a frozen backbone. ``first-order``: with one that learns. ``heuristic``: where
    the random start is not known or not orthogonal, W is no longer small when the loss has fallen
    by 10 %, or the features have changed by much.
    """
    if missing := _missing(config, facts, network):
        return Prediction(None, UNKNOWN, tuple(missing))
    course = _course(config, facts, network)
    if course.diverges:
        return Prediction(None, UNKNOWN, (ABOVE,))
    breaks = []
    if traits.network(network).start == "random":
        if config.initialization != "orthogonal":
            breaks.append(f"The first factors are {config.initialization}, not orthogonal.")
        if _overlaps(config, facts, network) is None:
            breaks.append(TURNED)
    if course.end(OVER) < FEW:
        breaks.append(QUICK)
    # Told from the frozen course: a learning backbone shortens the plateau and so hides it.
    frozen = _course(config, facts, network, learns=False)
    if frozen.bent > BENT:
        breaks.append(HARD)
    if course.end(OVER) < MUCH * frozen.end(OVER):
        breaks.append(CHANGED)
    standing = HEURISTIC if breaks else FIRST_ORDER if config.backbone_rate else SMALL_W
    if config.backbone_rate:
        end = frozen.end(OVER)
        breaks.append(LEARNS.format(end) if math.isfinite(end) else ALONE)
    return Prediction((course.end(BEGUN), course.end(OVER)), standing, tuple(breaks))


def latest(config: Config, facts: Facts, network: str) -> float:
    """The step at which a plateau ends that ``predicted`` knows if no backbone learns.

    An upper bound where one does.
    """
    return _course(config, facts, network, learns=False).end(OVER)


def _missing(config: Config, facts: Facts, network: str) -> list[str]:
    """Why a network's plateau is not known, in sentences; empty if it is."""
    if config.place != "head":
        return [HIDDEN]
    if config.starts_late(network):
        return [CUT]
    if broken := broken_by(config):
        return broken
    pulls = np.array(facts.gradient_singular_values)
    if not len(pulls):
        return [LOOK]
    if config.backbone_rate and not facts.backbone_kernel:
        return [UNMEASURED]
    size = config.init_scale ** (len(widths(config, network)) - 1)
    spectral = traits.network(network).spectral
    fall = float(pulls.sum()) * size / math.log(config.shape[1])
    return [] if (fall <= SMALL if spectral else size <= QUIET) else [LARGE]


def _course(config: Config, facts: Facts, network: str, *, learns: bool = True) -> Plateau:
    kind = traits.network(network)
    return _followed(config, facts, kind.like if kind.layered and kind.like else network, learns)


@functools.lru_cache(maxsize=64)
def _followed(config: Config, facts: Facts, network: str, learns: bool = True) -> Plateau:
    pulls = np.array(facts.gradient_singular_values)
    pulls = pulls[: config.shape[1] - 1]  # classes' shares add up to 1: there is no K-th direction
    moments = np.array(facts.gradient_moments or np.zeros((len(pulls),) * 2))
    overlaps = _overlaps(config, facts, network)
    if overlaps is None:
        overlaps = np.eye(len(pulls) + len(moments))  # as at infinite width
    depth = len(widths(config, network)) - 1
    turns = turns_of(config, network, config.learning_rate)
    momentum = traits.optimizer(config.optimizer).inertia or 0.0
    start = (config.shape[1], depth, overlaps, moments, config.init_scale)
    kernel = None
    if learns and config.backbone_rate:
        known = np.array(facts.backbone_kernel)
        kernel = config.backbone_rate * known[: len(pulls), : len(pulls)]
    return plateau(pulls, *start, turns, momentum, kernel)


def _overlaps(config: Config, facts: Facts, network: str) -> Array | None:
    """The overlaps of a network's start; None if they are not known."""
    kind = traits.network(network)
    if kind.spectral:
        width = min(widths(config, network))
        modes = min(len(facts.gradient_singular_values), config.shape[1] - 1)
        return aligned(modes, width, len(facts.gradient_moments) or modes)
    known = dict(zip(random_starts(config), facts.start_overlaps, strict=False))
    found = known.get(kind.like or network)
    return None if found is None else np.array(found)


def random_starts(config: Config) -> list[str]:
    """The networks whose different random starts a run's ``start_overlaps`` describe, in order."""
    kinds = {name: traits.network(name) for name in config.networks}
    random = [kinds[name].like or name for name in kinds if kinds[name].start == "random"]
    return list(dict.fromkeys(random))


def aligned(modes: int, width: int, directions: int) -> Array:
    """The overlaps of a spectral start, which starts with the first ``width`` modes."""
    start = np.zeros((modes + directions, modes + directions))
    for mode in range(min(modes, width)):
        both = [mode, modes + mode]
        start[np.ix_(both, both)] = 1
    return start


@np.errstate(all="ignore")  # a large η lets W overflow
def plateau(
    pulls: Array,
    classes: int,
    depth: int,
    overlaps: Array,
    moments: Array,
    init_scale: float,
    turns: Mapping[int, Rates],
    momentum: float = 0.0,
    kernel: Array | None = None,
) -> Plateau:
    """The course of a network with a small W, in its own steps or, where it is slow, in strides.

    With P = S − C W/K, G_l = (W_L ⋯ W_(l+1))ᵀ P (W_(l−1) ⋯ W_1)ᵀ and W_l ← W_l + η G_l, where η is
    αη for the first and the last. For a spectral start and C = 0 that is a ← a + αηs a b^(L−2) and
    b ← b + ηs a² b^(L−3) for each mode.

    Args:
        pulls: s_i, the singular values of −∇loss(W = 0).
        classes: K.
        depth: L, the number of the network's factors.
        overlaps: inner products of the vectors W_1 v_i/ε and of the directions of the features,
            the u_i first, pulled back to the same layer through the other factors; of W v_i/ε and
            these directions for a single factor. The inner factors are taken as multiples of
            orthogonal matrices.
        moments: C in these directions of the features.
        init_scale: ε.
        turns: the rates at the start and after each change, by step.
        momentum: the share of the last step that is added to the next.
        kernel: ρ⟨∇s_i, ∇s_j⟩, by which s_i grows with η u_jᵀ W v_j; None for a frozen backbone.
    """
    kernel = np.zeros((len(pulls),) * 2) if kernel is None else kernel
    cores = _Cores(pulls, moments / classes, depth, overlaps, init_scale, kernel)
    steps, products, fallen = [0], [cores.product], [cores.fallen]
    over = OVER * math.log(classes)
    while fallen[-1] < over and len(steps) < MOST_STRIDES and pulls[0] > 0:
        rates = turns[max(step for step in turns if step <= steps[-1])]
        most = min((step - steps[-1] for step in turns if step > steps[-1]), default=LONGEST)
        # The memory of the momentum fills up before a stride may be longer than a step.
        most = most if steps[-1] * (1 - momentum) >= CALM else 1
        steps.append(steps[-1] + cores.move(rates, momentum, most))
        products.append(cores.product)
        fallen.append(cores.fallen)
    known = int((np.abs(products).sum(axis=(1, 2)) < FAR).sum())
    shares = np.array(fallen[:known]) / math.log(classes)
    even = np.linspace(0, known - 1, POINTS).astype(int)
    points = np.union1d(even, _around(shares))
    values = np.linalg.svd(finite(np.array(products)[points]), compute_uv=False)[:, : len(pulls)]
    at = np.array(steps, float)[points]
    return Plateau(at, values, shares[points], cores.bent, known < len(steps))


class _Cores:
    """The factors in the directions that the gradient reaches."""

    def __init__(
        self,
        pulls: Array,
        curvature: Array,
        depth: int,
        overlaps: Array,
        init_scale: float,
        kernel: Array,
    ) -> None:
        squares, vectors = np.linalg.eigh(finite(overlaps))
        kept = squares > NOTHING * squares[-1]
        basis = np.sqrt(squares[kept])[:, None] * vectors[:, kept].T
        ahead, behind = basis[:, : len(pulls)], basis[:, len(pulls) :].T
        self._pulls = np.zeros((len(behind), len(pulls)))
        np.fill_diagonal(self._pulls, pulls)
        self._kernel, self._growth = kernel, np.zeros(len(pulls))
        self._curvature, self._behind = curvature, behind
        inner = [init_scale * np.eye(len(basis)) for _ in range(depth - 2)]
        self._factors = [init_scale * ahead, *inner, *[init_scale * behind][: depth - 1]]
        # The part of the last factor that leads to other directions stays as it is.
        beside = init_scale**2 * (np.eye(len(basis)) - behind.T @ behind)
        self._outside = _root(beside)
        self._traces = [np.zeros_like(factor) for factor in self._factors]

    @property
    def _below(self) -> list[Array]:
        """The products W_1, W_2 W_1, … of all factors but the last; W itself if it is the only."""
        below = self._factors[:1]
        for factor in self._factors[1:-1]:
            below.append(factor @ below[-1])
        return below

    @property
    def product(self) -> Array:
        """A matrix with the singular values of W."""
        below = self._below[-1]
        if len(self._factors) == 1:
            return below
        return np.vstack([self._factors[-1] @ below, self._outside @ below])

    @property
    def _reached(self) -> Array:
        """W in the directions that the gradient reaches."""
        last = self._factors[-1] if len(self._factors) > 1 else self._behind
        return np.asarray(last @ self._below[-1])

    @property
    def fallen(self) -> float:
        """⟨S, W⟩ − ⟨W, C W⟩/(2K), by which the loss has fallen."""
        reached = self._reached
        return float(((self._pulls - self._curvature @ reached / 2) * reached).sum())

    @property
    def bent(self) -> float:
        """The share of ⟨S, W⟩ that ⟨W, C W⟩/(2K) takes away."""
        reached = self._reached
        linear = float((self._pulls * reached).sum())
        return float((self._curvature @ reached / 2 * reached).sum()) / linear if linear else 0.0

    def move(self, rates: Rates, momentum: float, most: int) -> int:
        """Make a step, or up to ``most`` at once that change no factor by more than STRIDE.

        Returns how many.
        """
        ends = (0, len(self._factors) - 1)
        own = [rates.outer if n in ends else rates.learning_rate for n in range(ends[1] + 1)]
        gradients = self._gradients()
        pace = max(
            rate * _size(gradient) / _size(factor)
            for rate, gradient, factor in zip(own, gradients, self._factors, strict=True)
        )
        growth = self._kernel @ np.diagonal(self._reached)
        pace = max(pace, rates.learning_rate * _size(growth) / _size(self._pulls))
        count = int(min(most, max(1.0, STRIDE * (1 - momentum) / pace))) if pace > 0 else most
        for number, (rate, gradient) in enumerate(zip(own, gradients, strict=True)):
            steady = gradient / (1 - momentum)
            trace = momentum * self._traces[number] + gradient if count == 1 else steady
            self._traces[number] = trace
            self._factors[number] = self._factors[number] + count * rate * trace
        steady = growth / (1 - momentum)
        self._growth = momentum * self._growth + growth if count == 1 else steady
        modes = np.arange(len(growth))
        self._pulls[modes, modes] += count * rates.learning_rate * self._growth
        return count

    def _gradients(self) -> list[Array]:
        factors, below = self._factors, self._below
        pulls = self._pulls - self._curvature @ self._reached
        if len(factors) == 1:
            return [self._behind.T @ pulls]
        gradients = [pulls @ below[-1].T]
        above = factors[-1].T @ pulls
        for number in range(len(factors) - 2, 0, -1):
            gradients.append(above @ below[number - 1].T)
            above = factors[number].T @ above
        return [above, *reversed(gradients)]


def _size(matrix: Array) -> float:
    return float(np.abs(matrix).max())


def _root(square: Array) -> Array:
    """A matrix R with RᵀR = ``square``, or its part that is not negative."""
    values, vectors = np.linalg.eigh(finite(square))
    return np.asarray(np.sqrt(np.maximum(values, 0))[:, None] * vectors.T)


def _around(fallen: Array) -> Array:
    """The points before and after which the loss has fallen by BEGUN and by OVER."""
    numbers = [int(np.argmax(fallen >= share)) for share in (BEGUN, OVER)]
    return np.unique(np.maximum(0, [*numbers, *(number - 1 for number in numbers)]))
