"""Cost: what the first factors take, from the sizes alone, and where a run counts it."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import LinearOperator, svds

from dynamics.core import cost
from dynamics.core.config import Config
from dynamics.core.records import Layout, Record
from dynamics.core.traits import network
from dynamics.engine.training.batch import Batch
from dynamics.engine.training.comparison import prepare
from tests.support.make import small


@pytest.mark.parametrize("problem", ["factorization", "completion", "sensing"])
@pytest.mark.parametrize("depth", [2, 3])
def test_a_run_counts_the_svd_of_a_spectral_start_before_its_first_step(
    problem: str, depth: int
) -> None:
    """22 n³ of a square matrix, and the sum of the measurements; a random start has no SVD."""
    networks = "original,compressed,original_spectral,narrow_random"
    config = small(problem=problem, depth=depth, networks=networks, steps=20)
    rows = [row for row in prepare(config) if row]
    sums = 2 * 60 * 12 * 12 if problem == "sensing" else 0
    for name in config.networks:
        expected = 22 * 12**3 + sums if network(name).spectral else 0
        assert rows[0][name].operations == cost.start(config, name) == expected
        steps = [row[name].operations - expected for row in rows]
        assert steps == [cost.operations(config, name) * row[name].step for row in rows]


def test_seconds_count_the_surrogate_and_its_svd_too() -> None:
    """Of each network that starts at singular vectors, alone or in a batch; a random start is 0."""
    networks = "original,compressed,original_spectral,narrow_random"
    config = small(problem="completion", rows=120, cols=120, networks=networks, steps=20)
    comparison = prepare(config)
    first, *_ = (row for row in comparison if row)
    assert set(comparison.begun) == {"compressed", "original_spectral"}
    assert min(comparison.begun.values()) > 0
    for name in config.networks:
        assert first[name].seconds == comparison.begun.get(name, 0.0)
    for name in ("compressed", "narrow_random"):
        batch = Batch([prepare(dataclasses.replace(config, networks=(name,)))], name)
        assert (next(iter(batch))[0].seconds > 0) == network(name).spectral


def test_a_long_matrix_is_made_square_before_its_svd() -> None:
    """Either of the two methods of the book, whichever takes fewer operations."""
    assert cost.svd(100, 10) == cost.svd(10, 100) == 6 * 100 * 100 + 20 * 1000
    assert cost.svd(12, 10) == 14 * 12 * 100 + 8 * 1000
    assert cost.qr(10, 10) == pytest.approx(8 / 3 * 1000)


def test_a_target_that_is_stored_as_factors_needs_no_svd() -> None:
    """The program completes its singular vectors by a QR decomposition of each side."""
    config = small(problem="factorization", rows=200, cols=300, networks="compressed")
    assert cost.factored(config)
    assert cost.start(config, "compressed") == cost.qr(200, 4) + cost.qr(300, 4)
    wide = dataclasses.replace(config, networks=("original", "compressed"))
    assert cost.start(wide, "compressed") == cost.svd(200, 300)


@pytest.mark.parametrize(("side", "share", "count"), [(500, 0.05, 5), (800, 0.05, 10)])
def test_lanczos_iteration_needs_about_as_many_products_as_are_counted(
    side: int, share: float, count: int
) -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(2, side, 5))
    matrix = csr_matrix(np.where(rng.random((side, side)) < share, left @ right.T, 0))
    made = itertools.count()

    def times(of: csr_matrix, vector: np.ndarray[tuple[int], np.dtype[np.float64]]) -> object:
        next(made)
        return of @ vector

    operator = LinearOperator(
        matrix.shape,
        dtype=float,
        matvec=lambda vector: times(matrix, vector),
        rmatvec=lambda vector: times(matrix.T, vector),
    )
    svds(operator, k=count, rng=0)
    assert 1 / 2 < next(made) / (cost.PRODUCTS * count) < 2
    config = Config(rows=side, cols=side, observed=share, rank_bound=count, networks="compressed")
    assert cost.listed(config)
    assert cost.start(config, "compressed") == cost.lanczos(side**2 * share, side, count)


def test_a_cut_on_the_way_counts_its_own_decompositions() -> None:
    """The product of 12 × 12 factors, its SVD, three products with 4 columns, three QRs."""
    config = small(changes="20:compress", steps=40)
    rows = [row for row in prepare(config) if row]
    first = next(row for row in rows if row["compressed"].operations > 0)
    cut = 2 * 2 * 12**3 + 22 * 12**3 + 3 * (2 * 12 * 12 * 4 + cost.qr(12, 4))
    assert first["compressed"].operations - first["original"].operations == pytest.approx(cut)


@pytest.mark.parametrize("carries", [False, True])
def test_older_runs_are_given_what_their_first_factors_took(carries: bool) -> None:
    """From step 0 or from a late start, whether that carried the original's operations or not."""
    layout = Layout({"original": {}, "compressed": {}, "original_spectral": {}})
    starts = {"compressed": 7.0, "original_spectral": 5.0}
    before = 400.0 if carries else 0.0

    def row(step: int, **operations: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return layout.row(
            {name: Record(step, step / 8, 0.0, count, {}) for name, count in operations.items()}
        )

    table = np.array(
        [
            row(0, original=0.0, original_spectral=0.0),
            row(40, original=400.0, original_spectral=400.0, compressed=before),
            row(50, original_spectral=500.0, compressed=before + 30),
        ]
    )
    original, late, spectral = layout.trajectories(table, starts)
    assert original.operations.tolist() == [0, 400]
    assert late.operations.tolist() == [407, 437]
    assert spectral.operations.tolist() == [5, 405, 505]
    # A run that counted them itself is left as it is.
    places = layout.slices
    table[:, places["original_spectral", "operations"]] += 5
    table[1:, places["compressed", "operations"]] += 407 - before
    again = layout.trajectories(table, starts)
    for found, wanted in zip(again, (original, late, spectral), strict=True):
        assert found.operations.tolist() == wanted.operations.tolist()
