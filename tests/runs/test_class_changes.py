"""Changes on the way where classes are told apart: compressing, other rates, and forks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamics.core.config import Config
from dynamics.core.records import Array
from dynamics.engine.training.comparison import prepare
from dynamics.runs.fork import forked
from dynamics.runs.start import start
from tests.support.few import few
from tests.support.make import until

SETTINGS: dict[str, Any] = {
    "problem": "digits", "networks": "original,compressed", "features": 64, "init_scale": 0.1,
    "learning_rate": 0.05, "alpha": 1.0, "optimizer": "momentum", "batch": 64, "steps": 1400,
    "record_every": 100, "tolerance": 0.0, "dtype": "float32",
}  # fmt: skip


def test_compressing_keeps_every_logit_and_the_accuracy() -> None:
    """At step 800: logits within 1e-5 of the largest, accuracy 600 steps later within 0.01."""
    comparison = prepare(Config.from_dict(SETTINGS | {"changes": "800:compress"}))
    records = {row["original"].step: row for row in comparison if row}
    products: list[Array] = []
    for record in records[800].values():
        assert record.moment is not None
        product = np.eye(10)
        for factor in record.moment.factors:
            product = factor.double().numpy() @ product
        products.append(product)
    moments = [record.moment for record in records[800].values()]
    own, other = (
        _logits(comparison, moment, w) for moment, w in zip(moments, products, strict=True)
    )
    assert np.abs(own - other).max() <= 1e-5 * np.abs(own).max()
    last = [float(record.values["accuracy"]) for record in records[1400].values()]
    assert min(last) > 0.9 and abs(last[0] - last[1]) <= 0.01


def _logits(comparison: Any, moment: Any, product: Array) -> Array:
    backbone = comparison.problem.backbone()
    backbone.load_state_dict(dict(moment.backbone))
    features = comparison.problem.behind(backbone).features("held")
    return features.double().numpy() @ product


@pytest.mark.parametrize(
    "change", few([{"compress": True}, {"alpha": 3.0}, {"learning_rate": 0.02}], 1)
)
def test_a_fork_repeats_its_run_to_the_last_bit(change: dict[str, Any], folder: Path) -> None:
    config = Config.from_dict(SETTINGS | {"steps": 60, "record_every": 10, "features": 16})
    fork = forked(config, 40, **change)
    runs = [start(each, folder) for each in (config, fork)]
    for run in runs:
        until(lambda run=run: not run.status.live)
        assert run.status.phase == "done", run.status
    first, second = ({each.network: each for each in run.trajectories} for run in runs)
    name = "original"
    before = first[name].steps <= 40
    for series, values in first[name].series.items():
        assert np.array_equal(
            values[before], second[name].series[series][before], equal_nan=True
        ), series
    if not change.get("compress"):
        other = second["compressed"].series["train_loss"]
        assert np.array_equal(first["compressed"].series["train_loss"][before], other[before])
        assert not np.array_equal(first["compressed"].series["train_loss"], other)
    else:
        assert min(second["compressed"].steps) == 40
