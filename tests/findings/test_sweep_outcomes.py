"""Outcomes of a run in a sweep that need more than its errors, and the border of the surrogate."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles

from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.core.sweep import Axis, Sweep
from dynamics.engine import draws
from dynamics.findings.borders import borders
from dynamics.findings.sweeps import outcome
from tests.support.make import full, recorded, small


def asked(config: Config, kind: str, network: str) -> Sweep:
    """A sweep of which the config is a cell."""
    values = config.to_dict() | {"networks": network}
    del values["alpha"]
    return Sweep.of(values, [Axis("alpha", (config.alpha,))], outcome=kind, network=network)


def of_run(config: Config, kind: str, network: str) -> float:
    config = dataclasses.replace(config, networks=(network,))
    return outcome(asked(config, kind, network), config, recorded(config))


def test_overfit_is_the_last_error_over_the_lowest() -> None:
    config = small(networks=("compressed",))
    errors = np.array([1.0, 0.2, 0.5])
    own = Trajectory("compressed", *[np.arange(3.0)] * 4, {"recovery_error": errors})
    assert outcome(asked(config, "overfit", "compressed"), config, [own]) == 2.5


def test_angle_is_that_of_what_is_seen_to_the_target() -> None:
    """By SciPy, of the masked matrix; where r̂ is not r there is none."""
    config = small(rank_bound=2, observed=0.6, steps=10)
    target = draws.low_rank(config)
    seen = torch.where(draws.mask(config), target.dense, 0).numpy()
    left, _, right = np.linalg.svd(seen)
    angles = [
        subspace_angles(left[:, :2], target.left.numpy()).max(),
        subspace_angles(right[:2].T, target.right.mT.numpy()).max(),
    ]
    assert of_run(config, "angle", "compressed") == pytest.approx(np.degrees(max(angles)))
    wider = dataclasses.replace(config, rank_bound=3)
    assert np.isnan(of_run(wider, "angle", "compressed"))


def test_on_a_full_target_2r_values_move_and_nothing_leaks() -> None:
    config = full(rank=2, steps=400)
    assert of_run(config, "unmoved", "original") == pytest.approx(1 - 2 * 2 / 12)
    assert of_run(config, "leak", "original") < 1e-10


def test_the_surrogate_shows_the_weakest_mode_from_some_share_on() -> None:
    """Where nothing is missing it shows; under noise that is larger than it, it does not."""
    sweep = Sweep.of(
        {"rows": 100, "cols": 100, "rank": 5, "networks": "compressed"},
        [Axis.read("observed", "0.01,0.05,0.5,1"), Axis.read("noise", "0,10")],
    )
    (found,) = [each for each in borders(sweep) if each.name.startswith("the surrogate")]
    assert found.standing == "heuristic" and found.known.all()
    assert found.inside.tolist() == [
        [False, False],
        [False, False],
        [True, False],
        [True, False],
    ]
