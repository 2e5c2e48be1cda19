"""Published: the authors' matrices are what they claim, and a config uses them or says why not."""

import numpy as np
import pytest
import torch

from dynamics.core.config import Config, ConfigError
from dynamics.data.published import NAMES, arrays
from dynamics.engine.training.comparison import prepare
from dynamics.paper.figure import deviation
from tests.support.make import is_sentence, recorded

SETTINGS = {  # of each set: problem, rank, fraction observed, depth
    "ablation_alpha": ("completion", 5, 0.2, 3),
    "completion": ("completion", 5, 0.3, 3),
    "depth": ("completion", 10, 0.3, 2),
    "factorization": ("factorization", 10, 0.3, 3),
    "first_vectors": ("completion", 10, 0.3, 3),
}


def config(name: str, **changes: object) -> Config:
    problem, rank, observed, depth = SETTINGS[name]
    fixed = {"problem": problem, "rank": rank, "observed": observed, "depth": depth}
    fixed |= {"rows": 100, "cols": 100, "spectrum": "top", "matrices": name}
    return Config.from_dict(fixed | changes)


@pytest.mark.parametrize("name", NAMES)
def test_the_first_factors_are_orthogonal_and_the_target_has_its_rank(name: str) -> None:
    """As the paper defines them: what is shipped is what a run starts from."""
    comparison = prepare(config(name, networks="original", init_scale=0.5))
    for factor in comparison.networks["original"].factors:
        assert torch.allclose(factor @ factor.mT, 0.25 * torch.eye(100).double(), atol=1e-7)
    target = comparison.problem.target
    assert target is not None and target.exact and len(target.values) == SETTINGS[name][1]
    assert torch.allclose(target.dense, torch.tensor(arrays(name)["target"]))


def test_a_run_follows_the_authors_curve_from_its_start() -> None:
    """The whole curves take minutes (slow tests); a wrong start or mask shows in ten records."""
    settings = {"learning_rate": 50.0, "alpha": 2.0, "rank_bound": 20, "steps": 500}
    (found,) = recorded(config("depth", networks="original", record_every=50, **settings))
    for loss in ("train_loss", "test_loss"):
        wanted = arrays("depth")[f"original_L2_{loss}"][:11]
        assert deviation(found.series[loss], wanted) < 1e-10
        assert deviation(found.series[loss] * (1 + 1e-6), wanted) > 1e-8


def test_equal_runs_on_published_matrices_have_equal_keys() -> None:
    """Seeds and spectrum are not read there; a new field leaves other runs their keys."""
    assert config("completion").key == config("completion", seed_target=3, seed_init=1).key
    assert config("completion").key != config("completion", seed_noise=1, noise=0.1).key
    assert config("completion").key != Config(matrices="drawn").key


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("completion", {"rank": 4}, "rank"),
        ("completion", {"rows": 90}, "rows"),
        ("completion", {"observed": 0.5}, "observed"),
        ("completion", {"depth": 4}, "depth"),
        ("completion", {"initialization": "normal"}, "initialization"),
        ("completion", {"width": 50}, "width"),
        ("completion", {"problem": "sensing"}, "matrices"),
        ("factorization", {"problem": "completion"}, "problem"),
        ("completion", {"matrices": "no such"}, "matrices"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(
    name: str, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        config(name, **changes)
    assert set(caught.value.problems) == {field} and is_sentence(caught.value.problems[field])


def test_the_compressed_network_may_have_any_depth_and_width() -> None:
    """It starts at the mask's own singular vectors, for which nothing need be stored."""
    comparison = prepare(config("completion", depth=4, rank_bound=7, networks="compressed"))
    assert [f.shape[0] for f in comparison.networks["compressed"].factors] == [7, 7, 7, 100]
    assert np.isfinite(comparison.learning_rate)
