"""A sweep is a value: its axes, its cells, its key and the order of its runs."""

import json
import math
from typing import Any

import pytest

from dynamics.core.config import SEEDS, Config, ConfigError
from dynamics.core.sweep import END_TO_END, OUTCOMES, Axis, Sweep

SMALL: dict[str, Any] = {"rows": 20, "cols": 20, "rank": 2}


def small(*axes: tuple[str, str], **more: Any) -> Sweep:
    return Sweep.of(SMALL, [Axis.read(*axis) for axis in axes], **more)


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("alpha", "5,1,2", (1, 2, 5)),
        ("alpha", "0.5:1.5:0.25", (0.5, 0.75, 1, 1.25, 1.5)),
        ("alpha", "0.1:0.35:0.1", (0.1, 0.2, 0.3)),
        ("init_scale", "1e-4:1e-2:2/decade", (1e-4, 3.16228e-4, 1e-3, 3.16228e-3, 1e-2)),
        ("rank_bound", "5:500:2/decade", (5, 16, 50, 158, 500)),
        ("rank_bound", "2:4:1,8,16", (2, 3, 4, 8, 16)),
        ("optimizer", "momentum,adam", ("momentum", "adam")),
    ],
)
def test_values_are_read_from_lists_and_ranges(name: str, text: str, values: tuple) -> None:
    """A range's text returns from its values, which hold no rounding of sums."""
    axis = Axis.read(name, text)
    assert axis.values == values
    assert Axis.read(name, axis.text) == axis


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("alpha", "0:2:1", r"α \(alpha\) must be a number above 0 .*; 0.0 was given"),
        ("alpha", "1:2", "'1:2' is not a range, it needs three numbers"),
        ("alpha", "5:1:1", "it must ascend"),
        ("alpha", "1:2:0", "its step must be above 0"),
        ("alpha", "0:1:3/decade", "decades start above 0"),
        ("alpha", "0:1:1e-9", "more than 1,000 values"),
        ("alpha", "1:nan:1", "step must be above 0"),
        ("rank_bound", "4,4", r"r̂ \(rank_bound\) .* the value 4 twice"),
        ("rank_bound", "4,x", "whole number .* 'x' was given"),
        ("optimizer", "adam,foo", "must be one of adam.*'foo' was given"),
        ("networks", "original,compressed", "networks cannot be an axis"),
        ("nonsense", "1,2", "nonsense cannot be an axis"),
    ],
)
def test_a_bad_value_is_named_with_its_axis(name: str, text: str, words: str) -> None:
    """One sentence says which axis, which value and what would do."""
    with pytest.raises(ConfigError, match=words) as raised:
        Axis.read(name, text)
    assert [*raised.value.problems] == [name]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"seeds": 0}, "from 1 to 100"),
        ({"outcome": "luck"}, "must be one of steps"),
        ({"outcome": "accuracy"}, "completion has the outcomes steps"),
        ({"outcome": "stopped"}, "needs a validation part; validation 0.1 would do"),
        ({"level": -1.0}, "above 0; -1.0 was given"),
        ({"mode": 0}, "from 1 to 500"),
        ({"network": "unknown"}, "must be one of"),
    ],
)
def test_what_a_sweep_cannot_be_is_refused(more: dict[str, Any], words: str) -> None:
    """Before any run."""
    with pytest.raises(ConfigError, match=words):
        small(("alpha", "1,2"), **more)


def test_axes_must_fit_each_other() -> None:
    """No setting is set twice, and none by an axis and a value."""
    with pytest.raises(ConfigError, match="set the same"):
        small(("init_scale", "0.1,0.2"), (END_TO_END, "1e-3,1e-2"))
    with pytest.raises(ConfigError, match="is an axis and has a value"):
        small(("rank", "1,2"))
    with pytest.raises(ConfigError, match="one to three axes; 0"):
        Sweep.of(SMALL, [])
    with pytest.raises(ConfigError, match="seeds must be 1"):
        small(("seed_data", "0,1"), seeds=2)
    with pytest.raises(ConfigError, match="Nothing in these runs is drawn"):
        Sweep.of({"matrices": "completion"}, [Axis.read("alpha", "1,2")], seeds=2)


def test_cells_that_cannot_exist_are_told_and_the_others_stay() -> None:
    """r̂ may be at most the smaller side."""
    sweep = small(("rank_bound", "10,20,30"), ("alpha", "1,2"))
    assert [cell.values for cell in sweep.missing] == [(30, 1), (30, 2)]
    assert all("at most 20" in cell.why for cell in sweep.missing)
    assert len(sweep.configs) == 4
    with pytest.raises(ConfigError, match="at most 20"):
        small(("rank_bound", "30,40"))
    # The first values alone cannot exist, another combination can.
    axes = [Axis.read("rank_bound", "25,26"), Axis.read("rows", "4,30")]
    assert Sweep.of({"cols": 30, "rank": 2}, axes).base.rows == 30


def test_every_seed_of_a_cell_moves_with_its_number() -> None:
    """The k-th seed adds k to all of the base's, so that draws of runs stay apart."""
    sweep = Sweep.of(
        SMALL | {"seed_target": 7, "seed_noise": 2}, [Axis.read("alpha", "1,2")], seeds=3
    )
    cell = sweep.cells[1]
    assert [config.seed_target for config in cell.configs] == [7, 8, 9]
    assert [config.seed_noise for config in cell.configs] == [2, 3, 4]
    assert all(config.alpha == 2 for config in cell.configs)
    first, second = cell.configs[:2]
    assert {getattr(second, name) - getattr(first, name) for name in SEEDS} <= {0, 1}


def test_end_to_end_scale_is_the_same_at_every_depth() -> None:
    """ε^L is fixed while L changes, also if L is no axis."""
    sweep = small(("depth", "2:5:1"), (END_TO_END, "1e-6,1e-3"))
    for cell in sweep.cells:
        (config,) = cell.configs
        assert math.isclose(config.init_scale**config.depth, cell.values[1], rel_tol=1e-12)
    alone = Sweep.of(SMALL | {"depth": 4}, [Axis.read(END_TO_END, "1e-4,1e-8")])
    assert [round(config.init_scale, 12) for config in alone.configs] == [0.01, 0.1]


def test_order_shows_the_picture_early() -> None:
    """Corners, then middles; the first seed of all cells before the second of any."""
    sweep = small(("alpha", "1:9:1"), ("rank_bound", "2:10:1"), seeds=2)
    first = [(config.alpha, config.rank_bound) for config in sweep.configs[:4]]
    assert set(first) == {(1, 2), (1, 10), (9, 2), (9, 10)}
    assert {(c.alpha, c.rank_bound) for c in sweep.configs[4:9]} == {
        (5, 2), (5, 6), (5, 10), (1, 6), (9, 6)
    }  # fmt: skip
    keys = [config.key for config in sweep.configs]
    assert len({*keys}) == 162
    assert [config.seed_data for config in sweep.configs] == [0] * 81 + [1] * 81


def test_a_sweep_returns_from_its_stored_form() -> None:
    """Through JSON, with the same key; equal sweeps have one key, others another."""
    sweep = small(("alpha", "0.5:10:0.25"), ("rank_bound", "2,5,10"), seeds=3, level=1e-4)
    again = Sweep.from_dict(json.loads(json.dumps(sweep.to_dict())))
    assert again == sweep and again.key == sweep.key
    assert [config.key for config in again.configs] == [config.key for config in sweep.configs]
    # A setting that completion ignores, and one that an axis sets, decide nothing.
    same = Sweep.of(SMALL | {"measurements": 77}, sweep.axes, seeds=3, level=1e-4)
    assert same.key == sweep.key
    other = small(("alpha", "0.5:10:0.25"), ("rank_bound", "2,5,10"), seeds=3, level=1e-3)
    assert other.key != sweep.key


def test_only_the_networks_that_the_outcome_needs_are_trained() -> None:
    """A speed-up needs both; what is asked for by name stays."""
    assert small(("alpha", "1,2")).base.networks == ("compressed",)
    both = small(("alpha", "1,2"), outcome="speedup_steps")
    assert both.base.networks == ("original", "compressed")
    with pytest.raises(ConfigError, match="do not train the original network"):
        Sweep.of(
            SMALL | {"networks": "compressed"},
            [Axis.read("alpha", "1,2")],
            outcome="speedup_steps",
        )


def test_too_many_runs_are_refused_with_what_would_fit() -> None:
    """Before their settings are made: a million cells take no time."""
    sweep = small(("alpha", "1:1000:1"), ("rank_bound", "1:20:1"), seeds=5)
    with pytest.raises(ConfigError, match=r"100,000 runs, and 10,000 .*; 44 × 44 values would fit"):
        sweep.check_limit()
    small(("alpha", "1,2")).check_limit(2)
    with pytest.raises(ConfigError, match="4 seeds or"):
        small(("alpha", "1:100:1"), seeds=20).check_limit(400)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_a_title_and_a_command(outcome: str) -> None:
    """The caption names every axis, the command all that decides the sweep."""
    values = SMALL if "accuracy" not in outcome else {"problem": "digits"}
    values |= {"validation": 0.1} if outcome == "stopped" else {}
    sweep = Sweep.of(values, [Axis.read("alpha", "1:4:0.5")], outcome=outcome, seeds=2)
    assert sweep.title[0].isupper()
    assert "α = 1:4:0.5" in sweep.caption and "N = 2" in sweep.caption
    assert f"--outcome {outcome}" in sweep.command and "--alpha 1:4:0.5" in sweep.command
    assert sweep.base == Config.from_dict(sweep.base.to_dict())
