"""Rivals: the same gradient descent as a user would write it, for ``python -m dynamics bench``.

Each engine, called with a comparison and the name of a network, returns a function that makes the
given number of steps and then computes both losses, as a run does at each record. The rivals use
nothing of the program but its data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dynamics.core.registry import load
from dynamics.engine.kernels.multiply import THIN
from dynamics.engine.losses.sums import Dense
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Recovery, Task
from dynamics.engine.steps.fastest import FORMS, fastest
from dynamics.engine.steps.interface import Steps
from dynamics.engine.training.comparison import Comparison

Run = Callable[[int], Any]


@dataclass(frozen=True)
class Arrays:
    """A problem as a user would hold it, in whole arrays.

    The loss is ½ mean over mask of (W − Y)², or ½ Σ (⟨A_i, W⟩ − y_i)².
    """

    given: Tensor
    mask: Tensor | None = None
    sensing: Tensor | None = None

    @classmethod
    def of(cls, problem: Task) -> "Arrays":
        """The arrays of one of this program's problems, which must recover a matrix."""
        assert isinstance(problem, Recovery)
        if isinstance(problem, Dense):
            return cls(problem.seen, sensing=problem.matrix.view(-1, *problem.shape))
        samples = problem.samples
        if problem.whole is not None or samples is None:
            assert problem.target is not None
            return cls(problem.target.dense)
        rows = torch.repeat_interleave(torch.arange(problem.shape[0]), samples.starts.diff())
        mask = torch.zeros(problem.shape, dtype=samples.values.dtype)
        given = mask.clone() if problem.target is None else problem.target.dense.clone()
        given[rows, samples.places] = samples.values
        mask[rows, samples.places] = 1
        return cls(given, mask)


def ours(comparison: Comparison, name: str) -> Run:
    """This program, with its fastest form of the steps."""
    return _ours(comparison, name, fastest)


def uncompiled(comparison: Comparison, name: str) -> Run | None:
    """This program without a compiler, for narrow networks; None if a compiler changes nothing.

    Wide networks are left out, since their products are compiled in torch, too.
    """
    plain = load("optimizers", "gradient_descent")
    network = comparison.networks[name]
    problem = comparison.problem
    forms = [form for form in FORMS if form.applies(network, problem, plain)]
    if not forms[0].compiled or min(network.widths) >= THIN:
        return None
    return _ours(comparison, name, next(form for form in forms if not form.compiled))


def _ours(comparison: Comparison, name: str, form: Callable[..., Steps]) -> Run:
    problem = comparison.problem
    network = comparison.networks[name]
    optimizer = load("optimizers", "gradient_descent")
    descent = form(network, problem, optimizer, comparison.learning_rate)

    def run(count: int) -> list[float]:
        descent.step(count)
        state = State(network, 1)
        return [descent.loss(), float(problem.test_loss(state.left, state.right))]

    return run


def plain_torch(comparison: Comparison, name: str) -> Run:
    """Torch: autograd and ``torch.optim.SGD`` with a learning rate for each factor."""
    arrays = Arrays.of(comparison.problem)
    factors = [factor.clone().requires_grad_() for factor in comparison.networks[name].factors]
    groups = [
        {"params": [factor], "lr": rate}
        for factor, rate in zip(factors, rates(comparison, name), strict=True)
    ]
    optimizer = torch.optim.SGD(groups)

    def loss(mask: Tensor | None) -> Tensor:
        w = factors[0]
        for factor in factors[1:]:
            w = factor @ w
        if arrays.sensing is not None:
            return ((arrays.sensing * w).sum((1, 2)) - arrays.given).square().sum() / 2
        if mask is None:
            return (w - arrays.given).square().mean() / 2
        return (mask * (w - arrays.given)).square().sum() / mask.sum() / 2

    def run(count: int) -> list[float]:
        for _ in range(count):
            optimizer.zero_grad()
            torch.autograd.backward(loss(arrays.mask))
            optimizer.step()
        with torch.no_grad():
            hidden = None if arrays.mask is None else 1 - arrays.mask
            return [loss(arrays.mask).item(), loss(hidden).item()]

    return run


def plain_jax(comparison: Comparison, name: str) -> Run:
    """JAX: a jitted ``fori_loop`` over autodiff, as in the paper's code."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    arrays = Arrays.of(comparison.problem)
    factors = [jnp.asarray(factor.numpy()) for factor in comparison.networks[name].factors]
    given, mask, sensing = (
        None if array is None else jnp.asarray(array.numpy())
        for array in (arrays.given, arrays.mask, arrays.sensing)
    )
    speeds = rates(comparison, name)

    def loss(factors: list[Any], mask: Any) -> Any:
        w = factors[0]
        for factor in factors[1:]:
            w = factor @ w
        if sensing is not None:
            return 0.5 * jnp.sum((jnp.sum(sensing * w, axis=(1, 2)) - given) ** 2)
        if mask is None:
            return 0.5 * jnp.mean((w - given) ** 2)
        return 0.5 * jnp.sum((mask * (w - given)) ** 2) / jnp.sum(mask)

    def body(_: int, factors: list[Any]) -> list[Any]:
        gradients = jax.grad(loss)(factors, mask)
        return [w - s * g for w, s, g in zip(factors, speeds, gradients, strict=True)]

    def loop(count: int, factors: list[Any]) -> list[Any]:
        return jax.lax.fori_loop(0, count, body, factors)

    steps = jax.jit(loop)
    measure = jax.jit(loss)
    hidden = None if mask is None else 1 - mask

    def run(count: int) -> list[float]:
        nonlocal factors
        factors = steps(count, factors)
        return [float(measure(factors, mask)), float(measure(factors, hidden))]

    return run


def floor(comparison: Comparison, name: str) -> Run:
    """Only the products of a step, by torch, into buffers made before; nothing is updated."""
    problem = comparison.problem
    network = comparison.networks[name]
    cols, *hidden, rows = network.widths
    first, last = hidden[0], hidden[-1]
    like = network.factors[0]
    shapes = [(last, first, cols)] if len(hidden) > 1 else []
    shapes += [(rows, last, cols), (last, rows, cols), (rows, cols, last)]
    if len(hidden) > 1:
        shapes += [(last, cols, first), (first, last, cols)]
        for i in range(1, len(hidden) - 1):
            shapes += [(hidden[i + 1], hidden[i], first), (hidden[i], hidden[i + 1], first)]
            shapes += [(hidden[i + 1], first, hidden[i])]
    products = [
        (torch.ones(a, b).to(like), torch.ones(b, c).to(like), torch.empty(a, c).to(like))
        for a, b, c in shapes
    ]
    matrix = problem.matrix if isinstance(problem, Dense) else None
    vector = torch.ones(rows * cols).to(like)

    def run(count: int) -> None:
        for _ in range(count):
            for left, right, out in products:
                torch.mm(left, right, out=out)
            if matrix is not None:
                torch.mv(matrix.mT, torch.mv(matrix, vector))

    return run


def rates(comparison: Comparison, name: str) -> list[float]:
    """The learning rate of each factor."""
    network = comparison.networks[name]
    rate = comparison.learning_rate
    outer = rate * network.alpha
    return [outer, *[rate] * (len(network.factors) - 2), outer]


ENGINES: dict[str, Callable[[Comparison, str], Run | None]] = {
    "dynamics": ours,
    "uncompiled": uncompiled,
    "jax": plain_jax,
    "torch": plain_torch,
    "floor": floor,
}
