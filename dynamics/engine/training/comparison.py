"""Comparison: one problem, several networks in lockstep, one Config."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dynamics.core import changes, registry, traits
from dynamics.core.config import SETTINGS, Config
from dynamics.core.rates import pace, rates
from dynamics.core.sizes import seen
from dynamics.engine import device
from dynamics.engine.losses.classification import Classification
from dynamics.engine.measuring.moment import Resumable
from dynamics.engine.network import Network, build
from dynamics.engine.problem import Recovery, Task
from dynamics.engine.training.facts import known, starting
from dynamics.engine.training.lockstep import Lanes
from dynamics.theory import stability

# Settings of networks and of training, on which no problem that recovers a matrix depends.
NOT_DRAWN = (
    "depth", "rank_bound", "initialization", "init_scale", "learning_rate", "rate_unit", "equal",
    "alpha", "alpha_original", "optimizer", "steps", "record_every", "recording", "tolerance",
    "changes", "seed_init",
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Networks about to learn one problem.

    Attributes:
        config: the settings.
        problem: the problem, in the config's precision and on its device.
        networks: by name, the original first.
        learning_rate: η in absolute terms, whatever unit the config counts it in.
        facts: numbers that hold for the whole run, by name.
        begun: seconds that the first factors took, by network; of a network that is not in it, none
            are counted.
    """

    config: Config
    problem: Task
    networks: Mapping[str, Network]
    learning_rate: float
    facts: Mapping[str, list[Any]]
    begun: Mapping[str, float] = field(default_factory=dict)

    def __iter__(self) -> Iterator[dict[str, Resumable] | None]:
        """Train all networks, in lockstep from record to record.

        Yields, by network, the records of one step, of all networks that had not ended before it.
        Yields None at times between records (see ``train``).
        """
        return self.resumed({})

    def rate(self, name: str) -> float:
        """Returns η of one network at the start."""
        return rates(self.config, name, self.learning_rate).learning_rate

    def resumed(self, since: Mapping[str, Resumable]) -> Iterator[dict[str, Resumable] | None]:
        """Train from the records of one step on, which are made again; see ``Lanes``."""
        with ThreadPoolExecutor(1, "measuring", torch.set_num_threads, (1,)) as side:
            networks = self.networks
            rate = self.learning_rate
            yield from Lanes(self.config, self.problem, networks, rate, side, since, self.begun)


def prepare(config: Config, problem: Task | None = None) -> Comparison:
    """Make the config's problem and networks.

    A ``problem`` that was made for a config that is ``alike`` is taken as it is. From now on this
    process uses one thread, see ``device.use_threads``.

    Raises:
        ValueError: if the settings do not fit the data.
        MemoryError: if they do not fit the machine.
    """
    device.use_threads()
    like = numbers(config)
    problem = problem or registry.load("problems", config.problem).make(config, like)
    networks = {}
    begun: dict[str, float] = {}
    for name in config.networks:
        before = time.perf_counter()
        made = build(name, config, problem)
        if traits.network(name).spectral:
            # The problem keeps its surrogate's SVD; without the first network, the next makes it.
            begun[name] = max(time.perf_counter() - before, *begun.values(), 0.0)
        factors = [factor.to(like) for factor in made.factors]
        backbone = None if made.backbone is None else made.backbone.to(like)
        networks[name] = dataclasses.replace(made, factors=factors, backbone=backbone)
    return dataclasses.replace(compared(config, problem, networks), begun=begun)


def compared(config: Config, problem: Task, networks: Mapping[str, Network]) -> Comparison:
    """The Comparison of these networks on a problem, with η and the facts known before training.

    Raises:
        ValueError: if η is counted in stability limits, and none is known for the problem.
    """
    rate = config.learning_rate
    facts = dict(problem.facts)
    if isinstance(problem, Recovery):
        facts |= known(config, problem, networks)
        largest = facts["surrogate_singular_values"][0] / problem.curvature
        if seen(config) == "inputs":
            goal = facts["target_singular_values"][0]
            largest = stability.through_inputs(config.depth, goal, largest)
        limits = stability_limits(config, problem, networks, largest)
        if config.rate_unit == "limit":
            rate *= min(limit / pace(config, name) for name, limit in limits.items())
        facts["stability_limits"] = list(limits.values())
    elif isinstance(problem, Classification):
        facts |= starting(config, problem, networks)
    if config.rate_unit == "limit" and not isinstance(problem, Recovery):
        raise ValueError("No stability limit is known for this problem; choose an absolute η.")
    facts["learning_rate"] = [rate]
    if config.schedule:
        described = changes.told(config.schedule, config.rates)
        facts["changes"] = [list(change) for change in described]
    return Comparison(config, problem, networks, rate, facts)


def alike(config: Config, other: Config) -> bool:
    """Whether both learn one and the same problem, so that it need be made only once.

    Not where classes are told apart: such a problem counts its mini-batches.
    """
    if traits.problem(config.problem).classifies:
        return False
    return all(
        getattr(config, name) == getattr(other, name) for name in SETTINGS if name not in NOT_DRAWN
    )


def fetch(config: Config, report: Callable[[str], None]) -> None:
    """Get the files that the config's problem reads, and call ``report`` with the progress.

    Raises:
        DataError: if a file cannot be downloaded or written.
    """
    module = registry.load("problems", config.problem)
    if hasattr(module, "fetch"):
        module.fetch(config, numbers(config), report)


def numbers(config: Config) -> Tensor:
    """Returns an empty tensor of the config's precision, on its device."""
    return torch.empty(0, dtype=getattr(torch, config.dtype), device=device.device(config))


def stability_limits(
    config: Config, problem: Recovery, networks: Mapping[str, Network], largest: float
) -> dict[str, float]:
    """Returns η* of each network, from the surrogate's ``largest`` singular value."""
    return {
        name: stability.stability_limit(config.depth, network.alpha, problem.curvature, largest)
        for name, network in networks.items()
    }
