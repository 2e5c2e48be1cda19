"""Class story: sentences of random runs that tell digits apart, held against their records."""

from typing import Any

import numpy as np
import pytest

from dynamics.core.config import Config
from dynamics.findings.story import story
from tests.support import told_classes
from tests.support.make import is_sentence, watched

HEADS = ("original", "original_layered", "compressed", "narrow_random", "plain")


def random_config(seed: int) -> Config:
    """A small run of digits: most end well, some are short, diverge or learn noise by heart."""
    draw = np.random.default_rng(seed)

    def some(*options: Any) -> Any:
        return options[int(draw.integers(len(options)))]

    optimizer = some("momentum", "momentum", "gradient_descent", "adam")
    rate = {"momentum": 0.05, "gradient_descent": 0.3, "adam": 0.003}[optimizer]
    return Config.from_dict(
        {
            "problem": "digits",
            "networks": ",".join(name for name in HEADS if draw.random() < 0.8) or "compressed",
            "features": some(12, 16, 24),
            "images": some(100, 200, 400),
            "batch": some(0, 32),
            "steps": some(40, 200, 400),
            "record_every": some(5, 20),
            "depth": int(draw.integers(2, 5)),
            "rank_bound": some(2, 4, 10),
            "init_scale": some(0.1, 0.3, 1.0),
            "alpha": some(1.0, 3.0),
            "optimizer": optimizer,
            "learning_rate": rate * some(1, 1, 3, 30),
            "backbone_rate": some(0.0, 1.0, 1.0),
            "label_noise": some(0.0, 0.0, 0.4),
            "initialization": some("orthogonal", "orthogonal", "normal"),
            **dict.fromkeys(("seed_data", "seed_init", "seed_backbone", "seed_noise"), seed),
        }
    )


@pytest.mark.parametrize(
    "seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(8, 80))]
)
def test_every_sentence_is_what_the_records_show(seed: int) -> None:
    config = random_config(seed)
    trajectories, failed = watched(config)
    sentences = story(config, trajectories, failed)
    assert all(map(is_sentence, sentences)), sentences
    assert "invariant" not in " ".join(sentences)
    told_classes.hold(config, {each.network: each for each in trajectories}, failed, sentences)
