"""Lists of runs are trained as they would be alone, whatever their shapes."""

from typing import Any

import numpy as np
import pytest

from dynamics.core.cells import packed
from dynamics.core.config import Config
from dynamics.core.records import Layout, Trained, Trajectory
from dynamics.engine.training.comparison import alike, prepare
from dynamics.engine.training.many import LEAN, train

BASE: dict[str, Any] = {
    "rows": 16, "cols": 20, "rank": 2, "rank_bound": 4, "init_scale": 0.3, "observed": 0.6,
    "learning_rate": 0.2, "rate_unit": "limit", "steps": 60, "record_every": 20, "tolerance": 1e-4,
}  # fmt: skip


def of(**settings: Any) -> Config:
    return Config.from_dict(BASE | settings)


def alone(config: Config) -> list[Trajectory]:
    rows = [row for row in prepare(config) if row]
    layout = Layout.of(rows[0], {})
    return layout.trajectories(np.stack([layout.row(row) for row in rows]))


def same(trained: Trained, config: Config) -> None:
    """All series, steps and operations to 1e-12 of the largest value."""
    found = trained.layout.trajectories(trained.rows)
    for ours, wanted in zip(found, alone(config), strict=True):
        assert ours.network == wanted.network
        np.testing.assert_array_equal(ours.steps, wanted.steps)
        np.testing.assert_array_equal(ours.operations, wanted.operations)
        assert ours.seconds[-1] > 0
        for name, values in ours.series.items():
            scale = np.nanmax(np.abs(wanted.series[name]), initial=0.0)
            np.testing.assert_allclose(
                values, wanted.series[name], rtol=0, atol=1e-12 * scale, err_msg=name
            )


def test_runs_of_many_shapes_equal_runs_alone() -> None:
    """Both networks, several r̂, seeds and depths, sensing, a diverging and an early end."""
    configs = [
        of(),
        of(alpha=2.0),
        of(rank_bound=8),
        of(depth=4, networks="compressed"),
        of(seed_target=3, seed_data=3, learning_rate=40.0),
        of(problem="sensing", measurements=200),
        of(problem="factorization", tolerance=0.11),
        of(recording="escapes", steps=80),
        of(changes="40: alpha=2"),
        of(optimizer="adam", learning_rate=0.01, rate_unit="absolute"),
        of(validation=0.2, noise=0.1),
    ]
    trained = train(configs, ("mode_values", "validation_error"))
    for each, config in zip(trained, configs, strict=True):
        assert not each.why
        same(each, config)
        assert {*LEAN, "mode_values", "train_loss"} <= set(each.layout.shapes["compressed"])
    assert trained[4].last["compressed"].outcome == "diverged"
    assert 0 < trained[6].last["compressed"].step < 60
    assert "factor_singular_values" not in trained[0].layout.shapes["compressed"]


def test_first_and_last_heat_map_are_kept() -> None:
    """Of every network, at the same two steps."""
    config = of()
    (trained,) = train([config])
    rows = [row for row in prepare(config) if row]
    cells = [[row[name].cells for name in config.networks] for row in (rows[0], rows[-1])]
    assert trained.maps == packed(0, cells[0]) + packed(60, cells[1])  # type: ignore[arg-type]


def test_one_that_cannot_be_trained_harms_no_other() -> None:
    """It says why, in a sentence."""
    good = of(networks="compressed")
    large = {"rows": 20_000, "cols": 20_000, "measurements": 1_000_000, "sensing": "rank-one"}
    bad = of(problem="sensing", networks="compressed", **large)
    trained = train([good, bad, good])
    assert [bool(each.why) for each in trained] == [False, True, False]
    assert trained[1].why.endswith(".") and "\n" not in trained[1].why
    same(trained[2], good)


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        ({"alpha": 3.0, "rank_bound": 8, "init_scale": 0.1, "depth": 4, "seed_init": 9}, True),
        ({"seed_data": 1}, False),
        ({"noise": 0.1}, False),
        ({"observed": 0.5}, False),
        ({"networks": "compressed"}, False),
    ],
)
def test_only_runs_that_draw_the_same_share_a_problem(other: dict[str, Any], shared: bool) -> None:
    """Networks and rates decide nothing of a matrix; and none is shared where images are told."""
    assert alike(of(), of(**other)) == shared
    digits = Config.from_dict({"problem": "digits"})
    assert not alike(digits, digits)
