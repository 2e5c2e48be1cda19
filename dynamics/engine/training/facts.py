"""Facts: what theory needs to know about a problem and its networks; a run keeps them."""

from collections.abc import Mapping
from typing import Any

import torch

from dynamics.core import registry, traits
from dynamics.core.config import Config
from dynamics.core.sizes import wide
from dynamics.engine import device
from dynamics.engine.network import Network, build
from dynamics.engine.problem import Recovery
from dynamics.theory import original

MOST_MODES = 50  # largest r for which a run keeps the overlap, which has r × r numbers
MOST_SIDE = 500  # largest side for which the original network is drawn in advance for its overlap


def known(config: Config, problem: Recovery, networks: Mapping[str, Network]) -> dict[str, Any]:
    """Singular values of −∇loss(0), and the overlap of an orthogonal start with the target."""
    count = max(config.rank, config.rank_bound)
    facts: dict[str, Any] = {"surrogate_singular_values": problem.surrogate(count)[1].tolist()}
    kinds = {name: traits.network(name) for name in networks}
    random = [name for name in kinds if not (kinds[name].narrow or kinds[name].spectral)]
    if random and overlapping(config):  # all wide networks with a random start have the same start
        target = problem.target
        factors = networks[random[0]].factors
        if target is not None and target.exact and all(map(torch.count_nonzero, factors)):
            left, right = (part.numpy(force=True) for part in (target.left, target.right))
            start = [factor.numpy(force=True) for factor in factors]
            facts["overlap"] = original.overlap(start, left, right).tolist()
    return facts


def overlapping(config: Config) -> bool:
    """Whether the overlap describes the original network's start: square orthogonal factors."""
    rows, cols = config.shape
    width = config.width or min(config.shape)
    square = rows == cols == width and config.initialization == "orthogonal"
    return square and config.rank <= MOST_MODES and 2 * config.rank <= width


def look(config: Config) -> dict[str, Any]:
    """Returns the facts of the config's problem, which is drawn but not trained.

    From now on this process uses one thread, see ``device.use_threads``.

    Raises:
        ValueError: if the settings do not fit the data.
        MemoryError: if they do not fit the machine.
    """
    device.use_threads()
    problem: Recovery = registry.load("problems", config.problem).make(
        config, torch.empty(0, dtype=torch.float64)
    )
    networks = {}
    if wide(config) and overlapping(config) and max(config.shape) <= MOST_SIDE:
        networks["original"] = build("original", config, problem)
    return {**problem.facts, **known(config, problem, networks)}
