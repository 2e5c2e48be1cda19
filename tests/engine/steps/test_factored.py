"""Descent towards a full target by its factors equals descent by whole matrices."""

import copy

import pytest
import torch

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.engine.draws import low_rank
from dynamics.engine.losses.low_rank import Whole
from dynamics.engine.losses.masked import Masked
from dynamics.engine.network import Network
from dynamics.engine.steps.compiled import FactoredKernel
from dynamics.engine.steps.factored import FactoredDescent
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.steps.interface import Steps
from dynamics.engine.steps.plain import Descent
from dynamics.engine.training.comparison import prepare
from dynamics.theory.stability import stability_limit

STEPS = 60
ENGINES = (FactoredDescent, FactoredKernel)


def close(found: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12 * float(wanted.abs().max()))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("depth", [2, 3, 4, 6])
@pytest.mark.parametrize(("rank", "width"), [(1, 1), (5, 9), (3, 20)])
@pytest.mark.parametrize("shape", [(40, 40), (60, 41), (45, 90)])
def test_steps_by_factors_equal_the_plain_path(
    engine: type[Steps], depth: int, rank: int, width: int, shape: tuple[int, int]
) -> None:
    """Ranks and widths that are no multiples of four, all shapes, every depth."""
    config = Config(
        problem="factorization", rows=shape[0], cols=shape[1], rank=rank, rank_bound=width,
        depth=depth, init_scale=0.4, networks=("compressed",), alpha=1.7,
        learning_rate=0.3, rate_unit="limit",
    )  # fmt: skip
    comparison = prepare(config)
    network, problem = comparison.networks["compressed"], comparison.problem
    plain = Network(copy.deepcopy(network.factors), network.alpha)
    before = [factor.clone() for factor in plain.factors]
    optimizer = registry.load("optimizers", "gradient_descent")
    engine(network, problem, optimizer, comparison.learning_rate).step(STEPS)
    Descent(plain, problem, optimizer, comparison.learning_rate).step(STEPS)
    for ours, wanted, start in zip(network.factors, plain.factors, before, strict=True):
        close(ours, wanted)
        assert float((wanted - start).norm()) > 1e-3 * float(start.norm())


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_other_optimizers_step_by_factors_too(optimizer: str) -> None:
    """A large target has no whole matrix to fall back to."""
    config = Config(
        problem="factorization", rows=160, cols=170, networks=("compressed",),
        optimizer=optimizer, learning_rate=0.01, init_scale=0.3,
    )  # fmt: skip
    comparison = prepare(config)
    network, rule = comparison.networks["compressed"], registry.load("optimizers", optimizer)
    assert isinstance(comparison.problem, Whole)
    plain = Network(copy.deepcopy(network.factors), network.alpha)
    steps = fastest(network, comparison.problem, rule, 0.01)
    assert type(steps) is FactoredDescent
    steps.step(20)
    Descent(plain, Masked(low_rank(config)), rule, 0.01).step(20)
    for ours, wanted in zip(network.factors, plain.factors, strict=True):
        torch.testing.assert_close(ours, wanted, rtol=0, atol=1e-9)


def test_a_large_target_is_never_held_as_a_whole() -> None:
    """Its losses, surrogate and recovery error come from its factors, and agree with whole ones."""
    config = Config(
        problem="factorization", rows=200, cols=170, networks=("compressed",), steps=40,
        record_every=20, init_scale=0.3, learning_rate=0.3, rate_unit="limit",
    )  # fmt: skip
    comparison = prepare(config)
    records = [each["compressed"] for each in comparison if each]
    assert "dense" not in vars(comparison.problem.target)
    network, whole = comparison.networks["compressed"], Masked(low_rank(config))
    w = network.factors[2] @ network.factors[1] @ network.factors[0]
    wanted = float((w - whole.target.dense).norm() / whole.target.norm)
    assert float(records[-1].values["recovery_error"]) == pytest.approx(wanted, rel=1e-12)
    loss = float(whole.train_loss(network.factors[2], network.factors[1] @ network.factors[0]))
    assert float(records[-1].values["train_loss"]) == pytest.approx(loss, rel=1e-12)
    left, values, right = comparison.problem.surrogate(12)
    close(left.mT @ left, torch.eye(12).double())
    close(right @ right.mT, torch.eye(12).double())
    close(values, whole.surrogate(12)[1])


@pytest.mark.parametrize("alpha", [1.0, 2.5])
@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("name", ["original", "compressed"])
def test_the_exact_reductions_equal_whole_factors(name: str, depth: int, alpha: float) -> None:
    """2r-wide cores and scalar recursions: other formulas than those of the steps themselves."""
    config = Config(
        problem="factorization", rows=36, cols=36, rank=4, rank_bound=7, depth=depth,
        init_scale=0.5, alpha=alpha, alpha_original=alpha, learning_rate=0.3, rate_unit="limit",
        networks=(name, name + "_reduced"),
    )  # fmt: skip
    comparison = prepare(config)
    factors = []
    for network in comparison.networks.values():
        steps = (fastest if network.reduction else Descent)(
            network, comparison.problem, registry.load("optimizers", "gradient_descent"),
            comparison.learning_rate,
        )  # fmt: skip
        steps.step(100)
        factors.append(network.factors)
    for whole, reduced in zip(*factors, strict=True):
        close(reduced, whole)


def test_reductions_refuse_what_they_do_not_hold_for() -> None:
    """One sentence each, before any step is made."""
    for settings, words in (
        ({"problem": "completion"}, "exact reduction is known for factorization"),
        ({"noise": 0.1}, "exact reduction is known for factorization"),
        ({"optimizer": "adam"}, "exact reduction is known for factorization"),
        ({"initialization": "normal"}, "orthogonal"),
        ({"rows": 30}, "square"),
    ):
        config = Config.from_dict(
            {"problem": "factorization", "rows": 20, "cols": 20, "rank": 2, "rank_bound": 4,
             "networks": "original_reduced", **settings}
        )  # fmt: skip
        with pytest.raises(ValueError, match=words):
            next(iter(prepare(config)))


def test_a_target_of_full_rank_is_no_exact_target() -> None:
    """Its first r triplets are not all of it, so the loss cannot be taken from them."""
    matrix = torch.randn(20, 20, generator=torch.Generator().manual_seed(0)).double()
    assert Masked(low_rank(Config(problem="factorization"))).whole is not None
    from dynamics.engine.problem import Target

    assert Masked(Target.of(matrix, 5)).whole is None


def test_stability_limit_is_the_same_for_both_forms_of_a_large_target() -> None:
    """The limit's s_1 comes from the surrogate, whichever form the problem has."""
    config = Config(problem="factorization", rows=200, cols=170, networks=("compressed",))
    limits = prepare(config).facts["stability_limits"]
    largest = float(low_rank(config).values[0])
    assert limits[0] == pytest.approx(stability_limit(3, 5.0, 1 / (200 * 170), largest), rel=1e-12)
