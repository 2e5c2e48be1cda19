"""Twin: where a second training parts from the run, held against one that rounds differently."""

from typing import Any

import numpy as np
import pytest

from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.engine.training import twin
from dynamics.findings.rounding import MARGIN, Parting, promised
from tests.support.make import full, recorded, small


def trained(config: Config) -> dict[str, Trajectory]:
    return {each.network: each for each in recorded(config)}


CALM: dict[str, dict[str, Any]] = {
    "changes": {"changes": "20:alpha=3;30:learning_rate=0.3", "problem": "factorization"},
    "late": {"changes": "30:compress", "networks": "original,compressed", "steps": 90},
    "noise": {"noise": 0.1, "problem": "sensing", "optimizer": "momentum"},
    "tolerance": {"problem": "factorization", "tolerance": 1e-2, "recording": "escapes"},
    "single": {"dtype": "float32", "steps": 40},
}


@pytest.mark.parametrize("name", CALM)
def test_the_twin_of_a_calm_run_stays_with_it_at_every_record(name: str) -> None:
    """Through changes of the rates and a late start: a twin that missed one would part."""
    config = small(**CALM[name])
    run = trained(config)
    found = twin.compared(config, run)
    assert set(found) == set(run)
    for network, (steps, apart) in found.items():
        assert steps[-1] == run[network].steps[-1] and steps[0] == run[network].steps[0]
        assert apart.max() < MARGIN * promised(config) and apart[1:].max() > 0
        assert Parting.of(config, network, steps, apart).until is None


AMPLIFYING: dict[str, dict[str, Any]] = {
    "adam": {"optimizer": "adam", "learning_rate": 0.01},
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.002},
    "beyond the limit": {"rate_unit": "limit", "learning_rate": 1.3},
}


@pytest.mark.parametrize("name", AMPLIFYING)
def test_the_twin_of_a_run_that_amplifies_rounding_parts_before_its_end(name: str) -> None:
    """``tests/export/test_script.py`` holds the step against a program that rounds differently."""
    problem = {"problem": "factorization", "networks": "compressed", "steps": 600}
    config = small(**problem, **AMPLIFYING[name])
    found = twin.compared(config, trained(config))["compressed"]
    parting = Parting.of(config, "compressed", *found)
    assert parting.until is not None and parting.until < config.steps
    assert parting.read is None or parting.read >= parting.until


def test_a_run_that_diverges_is_followed_to_its_end() -> None:
    """Also one that was to start from another network later."""
    config = full(alpha=1.0, learning_rate=3.0, init_scale=0.3, steps=3000, changes="2000:compress")
    run = {name: each for name, each in trained(config).items() if len(each.steps)}
    assert not np.isfinite(run["original"].series["train_loss"][-1])
    found = twin.compared(config, run)
    assert set(found) == set(run)
    assert all(len(steps) == len(apart) > 1 for steps, apart in found.values())


def test_a_twin_that_costs_too_much_is_not_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Narrow networks may be checked where the wide one is not; sizes alone decide."""
    config = full(rows=30, cols=30)
    run = trained(config)
    assert set(twin.compared(config, run)) == {"original", "compressed"}
    monkeypatch.setattr(twin, "MOST", 3e7)
    assert set(twin.compared(config, run)) == {"compressed"}
    monkeypatch.setattr(twin, "MOST", 0)
    assert twin.compared(config, run) == {}


def test_a_check_can_be_ended() -> None:
    config = full()
    with pytest.raises(KeyboardInterrupt):
        twin.compared(config, trained(config), _interrupt)


def _interrupt() -> None:
    raise KeyboardInterrupt
