"""Semantic: what living things have in common, learned from the properties of each"""

import torch
from torch import Tensor

from dynamics.core import table
from dynamics.core.config import Config
from dynamics.data import semantic
from dynamics.engine.draws import given
from dynamics.engine.losses.inputs import Correlated
from dynamics.engine.losses.masked import Masked
from dynamics.engine.problem import Recovery
from dynamics.engine.target import Target

READS = ("rank", "input_correlation", "noise", "seed_noise")
SHAPE = (20, 8)  # properties × items
SEEN = "all"
TABLE = True
SUGGESTS = {
    "rank": 8,
    "width": 64,
    "rank_bound": 8,
    "init_scale": 0.05,
    "learning_rate": 4.0,
    "alpha": 1.0,
    "steps": 4000,
    "record_every": 10,
}


def make(config: Config, like: Tensor) -> Recovery:
    """½ mean(((W − Y) X)²) for a table Y of properties × items, whose inputs are X's columns.

    White inputs are X = I, one input for each item; otherwise those of neighbours are correlated.
    Saxe, McClelland and Ganguli (2019), "A mathematical theory of semantic development in deep
    neural networks", with L = 2.
    """
    target = Target.of(torch.from_numpy(table.target(config)), config.rank)
    noisy = given(config, target, like)
    problem: Recovery
    if config.input_correlation:
        inputs = torch.from_numpy(table.covariance(config)).to(like)
        problem = Correlated(target.to(like), inputs, noisy)
    else:
        problem = Masked(target.to(like), None, noisy)
    problem.names = {
        "shared_properties": (target.dense.mT @ target.dense).tolist(),
        "items": list(semantic.ITEMS),
        "properties": list(semantic.PROPERTIES),
        "groups": [f"{name}: {', '.join(has)}" for name, has in semantic.GROUPS.items()],
    }
    return problem
