"""Replayed steps are those of the plain path, and leave Python's lock to others."""

import copy

import pytest
import torch

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.engine.kernels import products
from dynamics.engine.network import Network
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.steps.interface import Steps
from dynamics.engine.steps.plain import Descent
from dynamics.engine.steps.replayed import ReplayedDescent
from dynamics.engine.training.comparison import prepare

pytestmark = pytest.mark.skipif(
    products(torch.float64) is None, reason="no compiled products: no compiler, or no AVX2"
)
PLAIN = registry.load("optimizers", "gradient_descent")
STEPS = 30


def pair(config: Config) -> tuple[Steps, Descent]:
    """The original network by replay and, from the same start, by the plain path."""
    comparison = prepare(config)
    network = comparison.networks["original"]
    plain = Network(copy.deepcopy(network.factors), network.alpha)
    ours = fastest(network, comparison.problem, PLAIN, comparison.learning_rate)
    assert isinstance(ours, ReplayedDescent)
    return ours, Descent(plain, comparison.problem, PLAIN, comparison.learning_rate)


def compare(ours: Steps, plain: Steps, tolerance: float) -> None:
    """Factors to the share ``tolerance`` of their largest entry, and the loss."""
    for found, wanted in zip(ours.network.factors, plain.network.factors, strict=True):
        torch.testing.assert_close(
            found, wanted, rtol=0, atol=tolerance * float(wanted.abs().max())
        )
    assert ours.loss() == pytest.approx(plain.loss(), rel=10 * tolerance)


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
@pytest.mark.parametrize("shape", [(70, 70), (90, 66), (65, 101)])
@pytest.mark.parametrize("problem", ["completion", "factorization"])
def test_replay_equals_the_plain_path(depth: int, shape: tuple[int, int], problem: str) -> None:
    """Every depth and shape, with and without a mask, and rates that change on the way: 1e-12."""
    rows, cols = shape
    config = Config(
        problem=problem, rows=rows, cols=cols, rank=3, rank_bound=6, depth=depth, noise=0.1,
        init_scale=0.6, learning_rate=0.3, rate_unit="limit", alpha_original=2.5, width=65,
    )  # fmt: skip
    ours, plain = pair(config)
    before = [factor.clone() for factor in ours.network.factors]
    compare(ours, plain, 1e-12)
    for descent in (ours, plain):
        descent.step(STEPS)
        descent.learning_rate, descent.alpha = descent.learning_rate / 2, 1.5
        descent.step(STEPS)
    compare(ours, plain, 1e-12)
    for old, new in zip(before, ours.network.factors, strict=True):
        assert float((new - old).norm()) > 1e-3 * float(old.norm())


def test_single_precision_stays_near_the_plain_path() -> None:
    ours, plain = pair(Config(dtype="float32", init_scale=0.3))
    for descent in (ours, plain):
        descent.step(STEPS)
    compare(ours, plain, 1e-5)


def test_going_on_from_a_moment_takes_its_factors() -> None:
    """The operations know buffers by their addresses: a moment is copied into these."""
    ours, plain = pair(Config(init_scale=0.3))
    ours.step(STEPS)
    moment, memory = [factor.clone() for factor in ours.network.factors], ours.memory
    ours.step(STEPS)
    ours.network.restore(moment, {})
    ours.restore(memory)
    ours.step(STEPS)
    plain.step(2 * STEPS)
    compare(ours, plain, 1e-12)


@pytest.mark.parametrize(
    "settings",
    [{"optimizer": "adam"}, {"problem": "sensing", "rows": 50, "cols": 50, "measurements": 60}],
)
def test_other_optimizers_and_problems_take_the_plain_path(settings: dict[str, object]) -> None:
    comparison = prepare(Config.from_dict({"networks": ["original"], **settings}))
    descent = fastest(
        comparison.networks["original"],
        comparison.problem,
        registry.load("optimizers", comparison.config.optimizer),
        comparison.learning_rate,
    )
    assert type(descent) is Descent
