"""Own matrix: a matrix or ratings of yours, whose gaps are filled in"""

import torch
from torch import Tensor

from dynamics.core.config import Config
from dynamics.data import own_matrix
from dynamics.engine.draws import generator
from dynamics.engine.losses.entries import Entries
from dynamics.engine.problem import Recovery

READS = ("dataset", "observed", "seed_data")
DATA = "matrix"
SEEN = "list"
TARGET_KNOWN = False
SUGGESTS = {
    "networks": "compressed",
    "observed": 0.9,
    "init_scale": 0.03,
    "learning_rate": 0.3,
    "rate_unit": "limit",
    "alpha": 1.0,
    "steps": 2000,
    "record_every": 20,
}


def make(config: Config, like: Tensor) -> Recovery:
    """½ mean((W − Y)²) over a random share p of the known entries Y; the rest is held out.

    Y has mean 0 and standard deviation 1, so that no setting depends on the unit of the file:
    √(2 · test_loss) is the root mean square error of the held-out entries in standard deviations.
    """
    own = own_matrix.matrix(config.dataset)
    places, values = torch.from_numpy(own.places), torch.from_numpy(own.standard)
    order = torch.randperm(len(values), generator=generator("split", config.seed_data))
    count = min(max(1, round(config.observed * len(values))), len(values) - 1)
    seen, held = (
        (places[:, part].to(like.device), values[part].to(like))
        for part in (order[:count], order[count:])
    )
    problem = Entries(config.shape, seen, held)
    problem.measures = "½ mean square, held-out entries (in standard deviations)"
    problem.names = {"mean": [own.mean], "deviation": [own.deviation]}
    return problem
