"""Compare: one problem, several networks in lockstep, one Config."""

import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psutil
import torch
from torch import Tensor

from dynamics import kinds, registry, schedule, theory
from dynamics.config import Config
from dynamics.facts import known
from dynamics.lanes import Lanes
from dynamics.network import Network
from dynamics.problem import Problem
from dynamics.trajectory import Record

SWITCH = 1e-4  # seconds
WIDE, MANY = 600, 2**24  # width and numbers in the measurements that are worth two threads
LOOK, SPARE = 0.2, 0.3  # seconds to look at the cores; how much of two may be in use


@dataclass(frozen=True)
class Comparison:
    """Networks about to learn one problem.

    Attributes:
        config: the settings.
        problem: the problem, in the config's precision and on its device.
        networks: by name, the original first.
        learning_rate: η itself, whatever unit the config counts it in; ``rate`` is a network's.
        facts: numbers of the whole run.
    """

    config: Config
    problem: Problem
    networks: Mapping[str, Network]
    learning_rate: float
    facts: Mapping[str, list[Any]]

    def __iter__(self) -> Iterator[dict[str, Record] | None]:
        """Train all networks, each record of one beside that of the others at the same step.

        Yields the records by network, of those that have not ended before, and None at times in
        between (see ``train``).
        """
        return self.going_on({})

    def rate(self, name: str) -> float:
        """η of one network, at the start."""
        return self.learning_rate * kinds.pace(self.config, name)

    def going_on(self, since: Mapping[str, Record]) -> Iterator[dict[str, Record] | None]:
        """The same from the records of one step on, which are made again; see ``Lanes``."""
        with ThreadPoolExecutor(1, "measuring", torch.set_num_threads, (1,)) as side:
            networks, rate = self.networks, self.learning_rate
            yield from Lanes(self.config, self.problem, networks, rate, side, since)


def prepare(config: Config) -> Comparison:
    """Make the config's problem and networks.

    Raises:
        ValueError: if the settings do not fit the data.
        MemoryError: if they do not fit the machine.
    """
    like = numbers(config)
    problem = registry.load("problems", config.problem).make(config, like)
    networks = {}
    for name in config.networks:
        built: Network = registry.load("networks", name).build(config, problem)
        factors = [factor.to(like) for factor in built.factors]
        networks[name] = dataclasses.replace(built, factors=factors)
    facts = {**problem.facts, **known(config, problem, networks)}
    largest = facts["surrogate_singular_values"][0] / problem.curvature
    limits = stability_limits(config, problem, networks, largest)
    rate = config.learning_rate
    if config.rate_unit == "limit":
        rate *= min(limit / kinds.pace(config, name) for name, limit in limits.items())
    facts |= {"learning_rate": [rate], "stability_limits": list(limits.values())}
    if config.schedule:
        facts["changes"] = [list(each) for each in schedule.told(config.schedule, config.rates)]
    return Comparison(config, problem, networks, rate, facts)


def fetch(config: Config, report: Callable[[str], None]) -> None:
    """Have on disk what the config's problem reads from there; ``report`` hears of the progress.

    Raises:
        DataError: if it cannot be had.
    """
    module = registry.load("problems", config.problem)
    if hasattr(module, "fetch"):
        module.fetch(config, numbers(config), report)


def numbers(config: Config) -> Tensor:
    """No numbers, of the config's precision and on its device."""
    return torch.empty(0, dtype=getattr(torch, config.dtype), device=device(config))


def device(config: Config) -> torch.device:
    """Where to compute: what the config says, or the accelerator if there is one.

    Raises:
        ValueError: if CUDA is asked for and not there.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda was asked for, and this machine has none; use auto or cpu.")
    cuda = config.device != "cpu" and torch.cuda.is_available()
    return torch.device("cuda" if cuda else "cpu")


def use_threads(config: Config) -> None:
    """One thread, as runs are what is spread over cores; two where that gains and a core is idle.

    It gains for the products of a wide original network and for large sets of measurements; small
    products lose by a second thread, and all of them lose to other work on its core.
    """
    rows, cols = config.shape
    wide = kinds.wide(config) and (config.width or min(rows, cols)) >= WIDE
    dense = config.problem == "sensing" and config.sensing == "gaussian"
    many = dense and rows * cols * config.measurements >= MANY
    cores = psutil.cpu_count() or 1
    idle = (wide or many) and cores * (1 - psutil.cpu_percent(LOOK) / 100) >= 2 - SPARE
    torch.set_num_threads(2 if idle else 1)
    # Training asks for Python's lock between its calls; measuring must not keep it for long.
    sys.setswitchinterval(SWITCH)


def machine(config: Config) -> str:
    """What the run is computed on, in words."""
    if device(config).type == "cuda":
        return torch.cuda.get_device_name()
    count = torch.get_num_threads()
    return f"CPU, {count} thread{'s' if count > 1 else ''}"


def stability_limits(
    config: Config, problem: Problem, networks: Mapping[str, Network], largest: float
) -> dict[str, float]:
    """η* of each network, with the surrogate's ``largest`` singular value for the target's."""
    return {
        name: theory.stability_limit(config.depth, network.alpha, problem.curvature, largest)
        for name, network in networks.items()
    }
