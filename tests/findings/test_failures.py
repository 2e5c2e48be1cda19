"""Signatures: each failure is named in a run that fails so, and none in runs that do well."""

import re
from typing import Any

import numpy as np
import pytest

from dynamics.core.config import Config
from dynamics.engine.training.comparison import prepare
from dynamics.findings.failures import Signature, Signatures, signatures
from tests.support.make import full, is_sentence, recorded, small

NOISY = small(
    problem="completion", rows=30, cols=30, noise=0.5, rank_bound=8, networks="compressed",
    observed=0.5, learning_rate=0.3, rate_unit="limit", steps=3000,
)  # fmt: skip
FAILING = {
    "diverging": full(learning_rate=3.0, steps=1000, init_scale=0.3, networks="compressed"),
    "no room": full(rank=4, rank_bound=2, steps=2000, networks="compressed"),
    "plateau": full(learning_rate=1.2, steps=2000, init_scale=0.3, networks="compressed"),
    "no gain": full(alpha=0.2, steps=1000),
    "merging": full(
        depth=2, init_scale=0.4, rank=3, spectrum="power-law", networks="compressed", record_every=2
    ),
    "overfitting": NOISY,
}
HEALTHY = {
    "factorization": full(steps=1500, rank=3, spectrum="power-law", init_scale=0.03),
    "top": full(steps=1000),
    "deep": full(depth=5, steps=1000, init_scale=0.3),
    "α = 1": full(alpha=1.0, steps=1000),
    "equal α": full(alpha=3.0, alpha_original=3.0, steps=1000),
    "momentum": full(optimizer="momentum", steps=1000, learning_rate=0.05),
    "adam": full(optimizer="adam", learning_rate=0.01, rate_unit="absolute", steps=1000),
    "float32": full(dtype="float32", steps=2000),
    "noise": full(noise=0.1, steps=2000, rank_bound=2),
    "completion": small(
        problem="completion", rows=30, cols=30, observed=0.7, rank_bound=2, learning_rate=0.2,
        rate_unit="limit", steps=2000,
    ),
    "sensing": small(
        problem="sensing", measurements=400, learning_rate=0.1, rate_unit="limit", steps=1500
    ),
    "compressed on the way": full(steps=1500, changes="600:compress"),
    "other rates on the way": full(steps=1500, changes="100:alpha=1;300:alpha=4"),
    "too short": full(steps=200, init_scale=0.01, record_every=2),
}  # fmt: skip


def found(config: Config) -> list[Signature]:
    return signatures(config, recorded(config))


@pytest.mark.parametrize("name", FAILING)
def test_each_failure_is_named_and_no_other(name: str) -> None:
    """In one sentence that says what would help."""
    named = found(FAILING[name])
    assert {each.name for each in named} == {name}
    for each in named:
        assert is_sentence(each.sentence)
        assert re.search(r"lower|raise|smaller|check", each.sentence), each.sentence


@pytest.mark.parametrize("name", HEALTHY)
def test_runs_that_do_well_show_none(name: str) -> None:
    """Long plateaus, runs cut short, rounding and noise are no failures."""
    assert found(HEALTHY[name]) == []


def test_a_failure_is_named_at_the_record_at_which_it_shows() -> None:
    """Divergence at the first loss beyond twice that of the start, with η/η* in the sentence."""
    config = FAILING["diverging"]
    for each in found(config):
        (trajectory,) = [t for t in recorded(config) if t.network == each.network]
        losses = trajectory.series["train_loss"]
        first = int(np.argmin(losses <= 2 * losses[0]))
        assert each.step == trajectory.steps[first]
        assert re.search(r"η is (3|\d\.\d+) times", each.sentence)


def test_overfitting_names_the_step_to_stop_at() -> None:
    trajectory = recorded(NOISY)[0]
    (each,) = found(NOISY)
    seen = trajectory.series["test_loss"][trajectory.steps <= each.step]
    best = trajectory.steps[int(np.argmin(seen))]
    assert f"step {best:,.0f} " in each.sentence and best < each.step
    assert seen[-1] > 1.05 * seen.min()


def test_records_one_by_one_show_what_all_together_show() -> None:
    """A worker names them as they come; each is named once."""
    config: Any = FAILING["no gain"]
    comparison = prepare(config)
    watch = Signatures(config, comparison.facts)
    live = [each for records in comparison if records for each in watch.see(records)]
    assert live == found(config) and live
    assert len({(each.name, each.network) for each in live}) == len(live)
