"""AltMin: each half step solves its least-squares problems; then what the means alone can say."""

from itertools import islice, pairwise

import numpy as np
import pytest

from dynamics.core import altmin
from dynamics.core.altmin import Entries, alternate, biases, loss


def entries(matrix: np.ndarray, mask: np.ndarray) -> Entries:
    """The masked entries, in a shuffled order."""
    rows, cols = np.nonzero(mask)
    order = np.random.default_rng(1).permutation(len(rows))
    return Entries(rows[order], cols[order], matrix[rows, cols][order])


@pytest.mark.parametrize("shape", [(23, 17), (9, 40)])
def test_a_whole_matrix_of_low_rank_is_found(shape: tuple[int, int]) -> None:
    """Of rank 3 by width 3, and by a greater width, from any start."""
    draw = np.random.default_rng(0)
    matrix = draw.standard_normal((shape[0], 3)) @ draw.standard_normal((3, shape[1]))
    for width in (3, 5):
        halves = alternate(
            entries(matrix, np.ones(shape)), draw.standard_normal((shape[1], width)), shape[0]
        )
        left, right = list(islice(halves, 6))[-1]
        assert np.linalg.norm(left @ right.T - matrix) <= 1e-10 * np.linalg.norm(matrix)


@pytest.mark.parametrize("ridge", [0.0, 0.7])
def test_each_half_step_meets_its_normal_equations_and_its_goal_never_rises(ridge: float) -> None:
    """Also where a row or column has no entry, or fewer than the width."""
    draw = np.random.default_rng(2)
    matrix, mask = draw.standard_normal((30, 21)), draw.random((30, 21)) < 0.35
    mask[4], mask[:, 7], mask[9, 3:] = False, False, False
    seen, goals = entries(matrix, mask), []
    for number, (left, right) in enumerate(
        islice(alternate(seen, draw.standard_normal((21, 4)), 30, ridge), 12)
    ):
        off = mask * (left @ right.T - matrix)
        gradient = off.T @ left + ridge * right if number % 2 else off @ right + ridge * left
        assert np.abs(gradient).max() < 1e-10
        assert loss(seen, left, right) == pytest.approx(
            (off**2).sum() / (2 * mask.sum()), rel=1e-12
        )
        goals.append((off**2).sum() + ridge * ((left**2).sum() + (right**2).sum()))
        assert not left[4].any() and (number == 0 or not right[7].any())
    assert all(late <= early * (1 + 1e-12) for early, late in pairwise(goals))
    assert goals[-1] < goals[0] / 1.5


def test_means_fit_what_is_a_sum_and_few_entries_say_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Undamped they are exact on a whole matrix b_i + c_j; damped beyond measure, the mean."""
    draw = np.random.default_rng(3)
    matrix = draw.standard_normal((12, 1)) + draw.standard_normal(19) + 3
    whole = entries(matrix, np.ones((12, 19)))
    monkeypatch.setattr(altmin, "DAMPING_ROWS", 0.0)
    monkeypatch.setattr(altmin, "DAMPING_COLS", 0.0)
    assert loss(whole, *biases(whole, (12, 19))) < 1e-25
    monkeypatch.setattr(altmin, "DAMPING_ROWS", 1e15)
    monkeypatch.setattr(altmin, "DAMPING_COLS", 1e15)
    assert loss(whole, *biases(whole, (12, 19))) == pytest.approx(matrix.var() / 2)
