"""Problem: surrogates, targets, masks, noise, and what fits into memory."""

import pytest
import torch
from torch import Tensor

from dynamics.core import registry, traits
from dynamics.core.config import Config, choices
from dynamics.engine.draws import low_rank
from dynamics.engine.target import Target
from dynamics.engine.training.comparison import prepare
from tests.support.make import KINDS, known, relative, small


@pytest.mark.parametrize("shape", [(9, 9), (7, 12), (12, 7)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_the_surrogate_is_minus_the_gradient_at_the_zero_matrix(
    kind: str, shape: tuple[int, int]
) -> None:
    """One line for all problems: autograd finds the same matrix from the loss alone."""
    problem, loss, _ = known(kind, *shape)
    zero = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(zero), zero)
    for count in (3, 7):
        left, values, right = problem.surrogate(count)
        assert (left.shape[1], len(values), len(right)) == (count, count, count)
        u, s, v = torch.linalg.svd(-gradient, full_matrices=False)
        wanted = u[:, :count] * s[:count] @ v[:count]
        assert relative(left * values @ right, wanted) < 1e-12
        # Singular vectors, not merely any factors with that product.
        identity = torch.eye(count, dtype=torch.float64)
        assert (left.mT @ left - identity).abs().max() < 1e-13
        assert (right @ right.mT - identity).abs().max() < 1e-13
        assert (values.diff() <= 0).all() and (values > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_residual_is_the_gradient_over_c(kind: str) -> None:
    """And the second array is its transpose, whichever way the problem stores it."""
    problem, loss, _ = known(kind, 7, 12)
    left, right = torch.ones(7, 2, dtype=torch.float64), torch.full((2, 12), 0.3).double()
    product = (left @ right).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(product), product)
    residual, transposed = (part.to_dense() for part in problem.residual(left, right))
    assert relative(problem.scale * residual, gradient) < 1e-12
    assert relative(transposed.mT, residual) < 1e-15


@pytest.mark.parametrize(
    ("problem", "sensing"),
    [
        ("factorization", "gaussian"),
        ("completion", "gaussian"),
        ("sensing", "gaussian"),
        ("sensing", "rank-one"),
    ],
)
def test_the_surrogate_is_on_average_curvature_times_the_target(problem: str, sensing: str) -> None:
    """What the stability limit takes s_1 from: the mean over draws of the data must tend to it."""
    draws = []
    for seed in range(80):
        config = small(problem=problem, sensing=sensing, networks="compressed", seed_data=seed)
        made = prepare(config).problem
        left, values, right = made.surrogate(12)
        draws.append(left * values @ right / made.curvature)
    target = made.target
    assert target is not None
    mean, spread = torch.stack(draws).mean(0), torch.stack(draws).std(0) / len(draws) ** 0.5
    assert ((mean - target.dense).abs() <= 5 * spread + 1e-12).all()


@pytest.mark.parametrize(
    "problem",
    [
        name
        for name in choices("problem")
        for kind in [traits.problem(name)]
        if name not in ("movielens", "films") and "dataset" not in kind.reads
        if kind.trained and not kind.classifies
    ],
)
def test_a_problem_reads_the_settings_that_it_says_and_no_others(problem: str) -> None:
    """``READS`` decides which runs are the same: a wrong list would show one run for another."""
    read = traits.problem(problem).reads
    other = {
        "rows": 13,
        "cols": 14,
        "rank": 3,
        "spectrum": "flat",
        "observed": 0.7,
        "measurements": 50,
        "sensing": "rank-one",
        "noise": 0.3,
        "seed_target": 1,
        "seed_data": 1,
        "seed_noise": 1,
    }
    base = small(problem=problem, noise=0.1, networks="compressed")
    like = torch.empty(0, dtype=torch.float64)
    for name, value in other.items():
        config = Config.from_dict(base.to_dict() | {name: value})
        pair = [fingerprint(config, like), fingerprint(base, like)]
        assert (pair[0] != pair[1]) == (name in read), name


def fingerprint(config: Config, like: Tensor) -> list[float]:
    """A few numbers that any difference in the target, the data or the noise would change."""
    problem = registry.load("problems", config.problem).make(config, like)
    rows, cols = problem.shape
    left, right = torch.ones(rows, 1).double(), torch.linspace(0, 1, cols).double()[None]
    losses = [float(loss(left, right)) for loss in (problem.train_loss, problem.test_loss)]
    return [*losses, rows, cols, len(problem.target.values)]


@pytest.mark.parametrize("sensing", choices("sensing"))
def test_noise_on_measurements_is_that_of_one_value_before_the_scaling(sensing: str) -> None:
    """σ is in units of an entry for every problem: y_i = (⟨G_i, M*⟩ + σ n_i) / m."""
    config = small(
        problem="sensing", sensing=sensing, measurements=2000, noise=0.5, networks="compressed"
    )
    problem = prepare(config).problem
    target = problem.target
    assert target is not None
    # At W = M* only noise is left: ½ Σ (σ n_i / m)² = σ²/(2m) on average.
    loss = problem.train_loss(target.left * target.values, target.right)
    assert abs(float(loss) * 2 * 2000 / 0.25 - 1) < 5 * (2 / 2000) ** 0.5


def test_held_out_entries_are_all_entries_where_none_is_hidden() -> None:
    """A mean over no entry would be NaN on every chart."""
    problem = prepare(small(observed=1.0, networks="compressed")).problem
    zero = torch.zeros(12, 1).double()
    assert problem.test_loss(zero, zero.mT) == problem.train_loss(zero, zero.mT) > 0
    assert "all entries" in problem.measures


def test_a_target_made_from_factors_alone_has_the_same_matrix() -> None:
    """Large targets are kept as factors; the dense matrix is made when it is asked for."""
    kept = Target.of(low_rank(small(rank=3)).dense, 3)
    thin = Target(kept.left, kept.values, kept.right)
    assert relative(thin.dense, kept.dense) < 1e-14
    single = thin.to(torch.empty(0, dtype=torch.float32))
    assert single.dense.dtype is torch.float32 and relative(single.dense, kept.dense) < 1e-6
