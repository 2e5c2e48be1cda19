"""Watched: weights of a network that another program trains, and what is measured of them.

The program's loop must not notice: everything here reads copies, without gradients, in full
precision and with random numbers of its own.
"""

import contextlib
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from dynamics.core.finite import NotFiniteError, finite
from dynamics.core.records import Array
from dynamics.engine.device import processor
from dynamics.engine.measuring.leading import Triplets, error, leading

Values = dict[str, Array]
ROUNDING = 1e-5  # share of the largest singular value below which rounding makes the others
ONCE = ("own_energy", "gradient_energy", "gradient_angles")  # one number for each weight


@dataclass
class Weight:
    """One weight matrix: what it is now, what it was, and where its first gradient pointed.

    Attributes:
        name: of the parameter in the model.
        start: W(0).
        gradient: the first gradient; None before it.
        slopes: the triplets of the first gradient.
        known: those of the weight itself at the last record, from which the next one starts.
        moved: those of its update at the last record.
    """

    name: str
    start: Float[Tensor, "m n"]
    gradient: Float[Tensor, "m n"] | None = None
    slopes: Triplets | None = None
    known: Triplets | None = None
    moved: Triplets | None = None

    def spectrum(self, now: Float[Tensor, "m n"], count: int) -> tuple[Array, float]:
        """The first ``count`` singular values, and by how much they may be too small."""
        self.known = leading(now, count, self.known)
        return _first(self.known, count), float(error(now, self.known, count))

    def updates(self, now: Float[Tensor, "m n"], count: int) -> dict[str, float]:
        """Shares of the update W − W(0) and its angle to the first gradient; NaN if unknown.

        ``own_energy``: the share of ‖W − W(0)‖² in its own first 2 count directions.
        ``gradient_energy``: the share within the first gradient's first 2 count on both sides.
        ``gradient_angles``: mean principal angle, in radians, between the first count − 1 right
        directions of both. A gradient of lower rank has fewer directions.
        """
        found = dict.fromkeys(ONCE, math.nan)
        update = now - self.start.to(now)
        whole = float(torch.linalg.vector_norm(update)) ** 2
        if not 0 < whole < math.inf:
            return found
        self.moved = leading(update, 2 * count, self.moved)
        own = self.moved.first(2 * count)
        found["own_energy"] = float((own.values**2).sum()) / whole
        if self.gradient is not None:
            slope = self.gradient.to(now)
            self.gradient = None
            self.slopes = _above_rounding(leading(slope, 2 * count).first(2 * count))
        if self.slopes is None:
            return found
        left, right = self.slopes.left.to(now), self.slopes.right.mT.to(now)
        found["gradient_energy"] = float(((left.mT @ update @ right) ** 2).sum()) / whole
        few = min(max(count - 1, 1), right.shape[1])
        cosines = torch.linalg.svdvals(finite(own.right[:few] @ right[:, :few]))
        found["gradient_angles"] = float(torch.arccos(cosines.clamp(max=1.0)).mean())
        return found


@dataclass
class Watched:
    """The named weights of a model, and the products of its linear chains.

    Attributes:
        model: that another program trains.
        chains: the parameters of each matrix by the matrix's name: one weight, or the factors
            W_1, …, W_L in the order in which they are applied.
        count: how many singular values are recorded of each matrix.
    """

    model: nn.Module
    chains: Mapping[str, Sequence[str]]
    count: int
    weights: dict[str, Weight] = field(init=False)

    def __post_init__(self) -> None:
        self._hooks: dict[str, Any] = {}
        self._products: dict[str, Triplets] = {}  # of the last record
        names = dict.fromkeys(name for chain in self.chains.values() for name in chain)
        with _unnoticed():
            self.weights = {name: Weight(name, self._now(name).clone()) for name in names}

    @property
    def machine(self) -> str:
        """The processor or accelerator that has the weights, in words."""
        device = next(iter(self.weights.values())).start.device
        return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()

    def hear(self) -> None:
        """Keep the first gradient of each weight, whenever the program computes it."""
        for name, weight in self.weights.items():
            parameter = self.model.get_parameter(name)
            if parameter.requires_grad:
                keep = functools.partial(_keep_gradient, weight)
                hook = parameter.register_post_accumulate_grad_hook(keep)  # type: ignore[no-untyped-call]
                self._hooks[name] = hook

    def leave(self) -> None:
        """Take all hooks from the model."""
        for name in list(self._hooks):
            self._hooks.pop(name).remove()

    def measure(self) -> dict[str, Values]:
        """The series of each matrix by its name; NaN where numbers are not finite."""
        with _unnoticed():
            found = {name: self._guarded(name, chain) for name, chain in self.chains.items()}
        for name, weight in self.weights.items():
            if weight.slopes is not None and name in self._hooks:
                self._hooks.pop(name).remove()
        return found

    def _now(self, name: str) -> Float[Tensor, "m n"]:
        """A weight as a matrix: a convolution's has a row for each output."""
        weight = self.model.get_parameter(name).detach().flatten(1)
        if weight.device.type not in ("cpu", "cuda"):
            weight = weight.cpu()
        return weight if weight.dtype == torch.float64 else weight.float()

    def _guarded(self, name: str, chain: Sequence[str]) -> Values:
        now = [self._now(part) for part in chain]
        try:
            return self._of(name, chain, now)
        except NotFiniteError:  # a weight, or a product of weights that are finite
            return self._unknown(now)

    def _of(self, name: str, chain: Sequence[str], now: Sequence[Tensor]) -> Values:
        values: Values = {}
        weights = [self.weights[part] for part in chain]
        pairs = zip(weights, now, strict=True)
        spectra, errors = zip(*(each.spectrum(own, self.count) for each, own in pairs), strict=True)
        if len(chain) == 1:
            values["singular_values"] = spectra[0]
        else:
            product = leading(_product(now), self.count, self._products.get(name))
            self._products[name] = product
            values["singular_values"] = _first(product, self.count)
            values["factor_singular_values"] = _rows(spectra, self._unknown(now))
        values["spectrum_error"] = np.array(errors)
        pairs = zip(weights, now, strict=True)
        updates = [each.updates(own, self.count) for each, own in pairs]
        values |= {series: np.array([each[series] for each in updates]) for series in ONCE}
        return values

    def _unknown(self, now: Sequence[Tensor]) -> Values:
        """All series of a matrix, without their numbers."""
        sides = [min(weight.shape) for weight in now]
        known = min(self.count, now[0].shape[1], now[-1].shape[0])
        shapes: dict[str, tuple[int, ...]] = {"singular_values": (known,)}
        if len(now) > 1:
            shapes["factor_singular_values"] = (len(now), min(self.count, max(sides)))
        shapes |= dict.fromkeys(("spectrum_error", *ONCE), (len(now),))
        return {series: np.full(shape, math.nan) for series, shape in shapes.items()}


def _keep_gradient(weight: Weight, parameter: Tensor) -> None:
    """The hook of a parameter: keeps its first gradient that is finite and not zero."""
    slope = parameter.grad
    if weight.gradient is not None or weight.slopes is not None or slope is None:
        return
    slope = slope.detach().flatten(1)
    if slope.layout == torch.strided and 0 < float(slope.abs().sum()) < math.inf:
        weight.gradient = slope.to(weight.start, copy=True)


def _first(found: Triplets, count: int) -> Array:
    """The first singular values."""
    return found.first(count).values.cpu().double().numpy()


def _above_rounding(found: Triplets) -> Triplets:
    """The triplets whose directions are no chance: a gradient often has a low rank."""
    return found.first(int((found.values > ROUNDING * found.values[0]).sum()))


@contextlib.contextmanager
def _unnoticed() -> Iterator[None]:
    """No gradients, and no half precision that surrounding code may have asked for."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        yield


def _product(factors: Sequence[Float[Tensor, "..."]]) -> Float[Tensor, "m n"]:
    """W_L ⋯ W_1, multiplied from its narrower side."""
    if factors[0].shape[1] < factors[-1].shape[0]:
        return functools.reduce(lambda product, factor: factor @ product, factors)
    return functools.reduce(torch.matmul, reversed(factors))


def _rows(spectra: Sequence[Array], unknown: Values) -> Array:
    """A row for each factor; NaN where a factor has fewer values."""
    rows = unknown["factor_singular_values"].copy()
    for row, values in zip(rows, spectra, strict=True):
        row[: len(values)] = values
    return rows
