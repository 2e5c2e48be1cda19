"""Compare: exact scalar recursions, lockstep, seeds that decide one thing each, divergence."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from dynamics.core.config import Config
from dynamics.core.records import Record
from dynamics.engine.training.comparison import Comparison, prepare
from dynamics.engine.training.lockstep import singular_value_count
from tests.support.make import relative, small

SHAPES = [(12, 12, 2, 4), (9, 20, 3, 3), (20, 9, 1, 5), (60, 45, 4, 8)]


def trained(comparison: Comparison) -> list[dict[str, Record]]:
    return [records for records in comparison if records]


def recursion(
    config: Config, targets: list[float], rate: float
) -> tuple[list[np.ndarray[Any, Any]], list[np.ndarray[Any, Any]]]:
    """Singular values and losses at each record, from one pair of numbers a mode.

    On a full target the compressed network's factors stay diagonal in the target's singular
    vectors: an outer value a and an inner value b for each mode, in extended precision here.
    """
    wide, depth = np.longdouble, config.depth
    wanted = np.array(targets + [0.0] * (config.rank_bound - len(targets)), wide)
    a = np.full(config.rank_bound, config.init_scale, wide)
    b, step = a.copy(), wide(rate) / (config.rows * config.cols)
    values, losses = [], []
    for count in range(config.steps + 1):
        w = a * a * b ** (depth - 2)
        if count % config.record_every == 0:
            values.append(w)
            losses.append(((w - wanted) ** 2).sum() / (2 * config.rows * config.cols))
        pull = step * (w - wanted)
        inner = pull * a * a * b ** (depth - 3) if depth > 2 else 0
        a, b = a - config.alpha * pull * a * b ** (depth - 2), b - inner
    return values, losses


@pytest.mark.parametrize("depth", range(2, 7))
@pytest.mark.parametrize("alpha", [0.5, 1.0, 5.0])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_compressed_network_obeys_exact_scalar_recursions_on_a_full_target(
    shape: tuple[int, int, int, int], alpha: float, depth: int
) -> None:
    """An off-by-one record, a wrong rate or a wrong order of updates shows in every digit."""
    rows, cols, rank, rank_bound = shape
    config = small(
        problem="factorization",
        networks="compressed",
        depth=depth,
        alpha=alpha,
        rows=rows,
        cols=cols,
        rank=rank,
        rank_bound=rank_bound,
        init_scale=0.02 ** (1 / depth),
        learning_rate=0.2,
        rate_unit="limit",
        steps=300,
        record_every=25,
    )
    comparison = prepare(config)
    targets = list(comparison.facts["target_singular_values"])
    values, losses = recursion(config, targets, comparison.learning_rate)
    found = [records["compressed"] for records in trained(comparison)]
    assert [record.step for record in found] == list(range(0, 301, 25))
    assert abs(values[-1][0] / targets[0] - 1) < 0.5  # it has learned something by then
    for record, w, loss in zip(found, values, losses, strict=True):
        seen = record.values["singular_values"][:rank_bound]
        assert np.abs(seen - np.sort(w)[::-1]).max() < 1e-12 * targets[0]
        assert abs(record.values["train_loss"] - loss) < 1e-12 * losses[0]
        error = (2 * config.rows * config.cols * loss) ** 0.5 / np.linalg.norm(targets)
        assert abs(record.values["recovery_error"] - error) < 1e-12


@pytest.mark.parametrize("initialization", ["orthogonal", "normal", "uniform"])
def test_networks_start_from_what_the_config_says(initialization: str) -> None:
    """The compressed one from the surrogate's first singular vectors, the original at random."""
    config = small(rows=9, cols=15, width=11, depth=4, initialization=initialization)
    comparison = prepare(config)
    original, compressed = comparison.networks.values()
    assert list(comparison.networks) == ["original", "compressed"]
    assert original.widths == [15, 11, 11, 11, 9]
    assert (original.alpha, compressed.alpha) == (1.0, 2.0)
    left, _, right = comparison.problem.surrogate(4)
    first, *inner, last = compressed.factors
    assert relative(last, 0.1 * left) < 1e-15 and relative(first, 0.1 * right) < 1e-15
    assert all(torch.equal(each, 0.1 * torch.eye(4).double()) for each in inner)


def test_a_width_of_zero_is_the_smaller_side() -> None:
    comparison = prepare(small(rows=9, cols=15))
    assert comparison.networks["original"].widths == [15, 9, 9, 9]


DRAWN = {
    "seed_target": "target",
    "seed_data": "data",
    "seed_noise": "noise",
    "seed_init": "factors",
}


def drawings(config: Config) -> dict[str, Tensor]:
    """What each seed decides, read off the prepared problem and networks.

    The surrogate without noise is the data's map applied to the target: with a fixed target it
    shows the mask or the measurements. Noise is the difference that it makes.
    """
    comparison = prepare(config)
    problem, target = comparison.problem, comparison.problem.target
    assert target is not None
    still = prepare(Config.from_dict(config.to_dict() | {"noise": 0, "seed_target": 0})).problem
    quiet = prepare(Config.from_dict(config.to_dict() | {"noise": 0})).problem
    return {
        "target": target.dense,
        "data": gradient(still),
        "noise": gradient(problem) - gradient(quiet),
        "factors": torch.cat([each.flatten() for each in comparison.networks["original"].factors]),
    }


def gradient(problem: Any) -> Tensor:
    """∇loss at the zero matrix."""
    rows, cols = problem.shape
    zero = torch.zeros(rows, 1).double()
    return problem.scale * problem.residual(zero, zero.new_zeros(1, cols))[0].to_dense().clone()


@pytest.mark.parametrize("problem", ["completion", "sensing", "factorization"])
@pytest.mark.parametrize("seed", DRAWN)
def test_a_seed_changes_its_own_thing_and_nothing_else(problem: str, seed: str) -> None:
    """Else two runs that differ in the mask would also start elsewhere, and comparisons lie."""
    config = small(problem=problem, noise=0.1)
    before = drawings(config)
    after = drawings(Config.from_dict(config.to_dict() | {seed: 5}))
    changed = {name for name in before if relative(after[name], before[name]) > 1e-9}
    expected = {DRAWN[seed]}
    if problem == "factorization" and seed == "seed_data":
        expected = set()  # all entries are seen: there is nothing to draw
    if problem == "completion" and seed == "seed_data":
        expected |= {"noise"}  # the same noise, seen at other entries
    if problem == "sensing" and seed == "seed_data":
        expected |= {"noise"}  # the same noise, on other measurements
    assert changed == expected


def test_no_two_purposes_share_random_numbers() -> None:
    """With all seeds 0, the first factor must not be drawn from the target's own noise."""
    config = small(spectrum="flat", initialization="orthogonal", rank=12, rank_bound=12, noise=1.0)
    comparison = prepare(config)
    target = comparison.problem.target
    assert target is not None
    first = comparison.networks["original"].factors[0] / config.init_scale
    for other in (target.left, target.right, target.left.mT, target.right.mT):
        assert (first - other).abs().max() > 0.1


@pytest.mark.parametrize("problem", ["factorization", "completion", "sensing", "photograph"])
def test_noise_does_not_shift_the_target_or_the_start(problem: str) -> None:
    quiet, noisy = (prepare(small(problem=problem, noise=noise)) for noise in (0.0, 0.5))
    assert torch.equal(quiet.problem.target.dense, noisy.problem.target.dense)  # type: ignore
    pairs = zip(quiet.networks["original"].factors, noisy.networks["original"].factors, strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
    assert relative(gradient(noisy.problem), gradient(quiet.problem)) > 1e-3


def test_runs_of_one_config_are_equal_to_the_last_bit() -> None:
    first, second = (trained(prepare(small())) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        for name in one:
            assert one[name].values["train_loss"] == other[name].values["train_loss"]


def test_a_spectral_start_costs_the_seconds_and_operations_of_its_svd() -> None:
    """The SVD is made once; each network that starts from it would have to make it."""
    names = ("original", "original_spectral", "compressed")
    comparison = prepare(small(networks=",".join(names)))
    first = trained(comparison)[0]
    began = {name: first[name].seconds for name in names}
    assert began == {"original": 0.0} | comparison.begun
    assert [*comparison.begun.values()] == sorted(comparison.begun.values())
    assert min(comparison.begun.values()) > 0
    assert first["compressed"].operations > first["original"].operations == 0


def test_networks_advance_in_lockstep_until_each_has_ended() -> None:
    """All records of one row are of one step; whoever has reached the tolerance leaves."""
    config = small(problem="factorization", steps=4000, alpha=8.0, tolerance=0.01, init_scale=0.5)
    rows = trained(prepare(config))
    assert all(len({record.step for record in row.values()}) == 1 for row in rows)
    assert list(rows[0]) == ["original", "compressed"]
    sizes = [len(row) for row in rows]
    assert sizes == sorted(sizes, reverse=True) and set(sizes) == {2, 1}
    ends = {name: record for row in rows for name, record in row.items() if record.outcome}
    assert {name: record.outcome for name, record in ends.items()} == {
        "original": "done",
        "compressed": "done",
    }
    assert ends["compressed"].step < ends["original"].step


def test_a_row_that_is_measured_does_not_wait_for_more_steps() -> None:
    """Whoever watches sees the start before anything is trained."""
    comparison = prepare(
        Config.from_dict({"problem": "digits", "features": 16, "images": 100, "steps": 4})
    )
    starts = {name: network.factors[0].clone() for name, network in comparison.networks.items()}
    first = next(row for row in comparison if row)
    assert first.keys() == starts.keys()
    for name, start in starts.items():
        assert torch.equal(comparison.networks[name].factors[0], start)


def test_grad_mode_is_the_consumer_s_own_between_records() -> None:
    """A generator that yields inside of no_grad would switch it off for everybody."""
    for mode in (True, False):
        with torch.set_grad_enabled(mode):
            for _ in prepare(small()):
                assert torch.is_grad_enabled() is mode


@pytest.mark.parametrize("rate", [50.0, 200.0, 1e3, 1e5])
@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_divergence_is_a_result_however_it_comes(depth: int, rate: float) -> None:
    """Factors may still be finite when their product is not, and no decomposition exists then."""
    config = small(depth=depth, learning_rate=rate, init_scale=1.0, record_every=1, steps=400)
    rows = trained(prepare(config))
    first, last = rows[0], rows[-1]
    assert all(np.isfinite(record.values["singular_values"]).all() for record in first.values())
    assert set(record.outcome for record in last.values()) == {"diverged"}
    for network, record in last.items():
        assert not np.isfinite(record.values["train_loss"])
        shapes = {name: value.shape for name, value in first[network].values.items()}
        assert {name: value.shape for name, value in record.values.items()} == shapes


def test_a_compressed_network_narrower_than_the_rank_is_measured_as_well() -> None:
    """A rank that is under-estimated fails, and that is worth seeing: 90° for what it lacks."""
    config = small(rank=5, rank_bound=3, networks="compressed")
    *_, last = trained(prepare(config))
    values = last["compressed"].values
    assert values["left_angles"].shape == values["right_overlaps"].shape == (5,)
    assert np.allclose(values["left_angles"][:2], np.pi / 2)
    assert (values["right_overlaps"][3:] == 0).all()
    assert values["singular_values"].shape == (12,) and (values["singular_values"][3:] == 0).all()


@pytest.mark.parametrize(
    ("settings", "count"),
    [({}, 6), ({"rank_bound": 9}, 9), ({"rank": 8, "rank_bound": 8}, 12)],
)
def test_singular_values_are_recorded_past_the_rank(settings: dict[str, int], count: int) -> None:
    """Past r, so that a chart shows what should stay small, and all of a thin network's."""
    assert singular_value_count(small(**settings)) == count


def test_a_device_that_is_not_there_is_refused_with_a_sentence() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(ValueError, match=r"cuda .* this machine has none"):
        prepare(small(device="cuda"))


def test_float32_is_trained_in_float32() -> None:
    """Coarser, but the same run: it agrees to single precision and no better."""
    errors = {}
    for dtype in ("float64", "float32"):
        comparison = prepare(small(dtype=dtype))
        assert all(
            factor.dtype is getattr(torch, dtype)
            for network in comparison.networks.values()
            for factor in network.factors
        )
        errors[dtype] = float(trained(comparison)[-1]["compressed"].values["train_loss"])
    assert 0 < abs(errors["float32"] / errors["float64"] - 1) < 1e-4
