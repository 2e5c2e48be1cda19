"""Batch: many runs of one shape trained together, with the same results as alone.

Runs may differ in α, ε, η, seeds, fraction observed, noise and, by zero padding, in r̂: zeros in a
factor's spare rows and columns get zero gradients. On a CPU with compiled kernels the runs are
spread over threads, which is faster than one large product; otherwise they are stacked. Sensing
runs are spread, too, because each has measurements of its own.
"""

import dataclasses
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from types import ModuleType

import numpy as np
import psutil
import torch
from torch import Tensor

from dynamics.core import registry, traits
from dynamics.core.config import Config
from dynamics.core.records import Record
from dynamics.engine.losses.masked import Masked
from dynamics.engine.measuring.measure import Measuring
from dynamics.engine.network import Network
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.steps.interface import Steps, loss_of
from dynamics.engine.steps.plain import by_products
from dynamics.engine.training.comparison import Comparison
from dynamics.engine.training.lockstep import begun, singular_value_count

SHARED = ("depth", "shape", "steps", "record_every", "optimizer", "dtype", "device", "tolerance")


class Stacked:
    """The steps of ``Descent`` on factors of runs × out × in: the same formulas with one more axis.

    The networks' factors become views of the stacked ones.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        problems: Sequence[Masked],
        optimizer: ModuleType,
        rates: Sequence[float],
    ) -> None:
        self._networks = list(networks)
        self._direction = optimizer.direction
        like = networks[0].factors[0]
        depth = len(networks[0].factors)
        self.factors = [
            _stack([network.factors[index] for network in networks]) for index in range(depth)
        ]
        self._memories: list[dict[str, Tensor]] = [{} for _ in range(depth)]
        masked = [problem.masked for problem in problems]
        self._mask, self._negative = (torch.stack(part) for part in zip(*masked, strict=True))
        self._scale = _column([problem.scale for problem in problems], like)
        inner = _column(rates, like)
        outer = inner * _column([network.alpha for network in networks], like)
        self._rates = [outer, *[inner] * (depth - 2), outer]
        self._share()

    def _share(self) -> None:
        """Make the networks' factors views of the stacked ones."""
        for run, network in enumerate(self._networks):
            for index, factor in enumerate(network.factors):
                rows, cols = factor.shape
                network.factors[index] = self.factors[index][run, :rows, :cols]

    def keep(self, runs: Sequence[int]) -> None:
        """Continue with these runs alone; the factors of the remaining runs no longer change."""
        index = torch.tensor(runs, device=self._mask.device)
        self._networks = [self._networks[run] for run in runs]
        self.factors = [factor[index] for factor in self.factors]
        self._rates = [rate[index] for rate in self._rates]
        self._mask, self._negative = self._mask[index], self._negative[index]
        self._scale = self._scale[index]
        for memory in self._memories:
            for name, value in memory.items():
                memory[name] = value[index] if value.ndim else value
        self._share()

    def step(self, count: int = 1) -> None:
        """Make ``count`` gradient steps of every run."""
        for _ in range(count):
            for index, gradient in enumerate(self._gradients()):
                direction = self._direction(gradient * self._scale, self._memories[index])
                self.factors[index].sub_(self._rates[index] * direction)

    def _gradients(self) -> list[Tensor]:
        """∂loss/∂W_l divided by c; see ``Chained`` for the formulas."""
        first, *inner, last = self.factors
        chains = list(accumulate(inner, lambda chain, factor: factor @ chain))
        right = chains[-1] @ first if inner else first
        residual = torch.addcmul(self._negative, last @ right, self._mask)
        back = last.mT @ residual
        down = back @ first.mT
        middle: list[Tensor] = []
        for i in reversed(range(len(inner))):
            middle.insert(0, down @ chains[i - 1].mT if i else down)
            down = inner[i].mT @ down
        return [chains[-1].mT @ back if inner else back, *middle, residual @ right.mT]


class Batch:
    """Runs that are trained together.

    Args:
        comparisons: prepared runs, which agree in all of ``SHARED``.
        network: the name of the network to train in each of them.
        only: measurements to take beside the training loss; if empty, all that apply.
        stacked: train as one stack even if compiled kernels are faster; not for sensing.
        threads: over how many threads runs are spread; one for each core if None.

    Raises:
        ValueError: if the runs cannot be trained together.
    """

    def __init__(
        self,
        comparisons: Sequence[Comparison],
        network: str,
        only: Sequence[str] = (),
        *,
        stacked: bool = False,
        threads: int | None = None,
    ) -> None:
        configs = [comparison.config for comparison in comparisons]
        _check(configs)
        self._config = configs[0]
        self._threads = threads or psutil.cpu_count() or 1
        self._networks = [comparison.networks[network] for comparison in comparisons]
        self._problems = [comparison.problem for comparison in comparisons]
        optimizer = registry.load("optimizers", self._config.optimizer)
        rates = [comparison.rate(network) for comparison in comparisons]
        masked = [problem for problem in self._problems if isinstance(problem, Masked)]
        if stacked and len(masked) < len(self._problems):
            raise ValueError("Only completion and factorization runs can be stacked.")
        pairs = list(zip(self._networks, self._problems, strict=True))
        self._alone: list[Steps] = []
        self._operations = [by_products(net, problem) for net, problem in pairs]
        if not stacked:
            self._alone = [
                fastest(net, problem, optimizer, rate)
                for (net, problem), rate in zip(pairs, rates, strict=True)
            ]
            self._operations = [steps.operations for steps in self._alone]
            compiled = all(steps.compiled for steps in self._alone)
            reduced = any(net.reduction for net in self._networks)
            stacked = len(masked) == len(pairs) > 1 and not compiled and not reduced
        if stacked:
            self._alone = []
            self._stack = Stacked(self._networks, masked, optimizer, rates)
        names = ["train_loss", *(name for name in only if name != "train_loss")] if only else []
        self._measurings = [
            Measuring(net, problem, singular_value_count(config), names)
            for (net, problem), config in zip(pairs, configs, strict=True)
        ]
        self._begun = [begun(each.config, each.problem, network) for each in comparisons]
        self._seconds = [each.begun.get(network, 0.0) for each in comparisons]
        self._measuring = [0.0] * len(pairs)

    def __iter__(self) -> Iterator[dict[int, Record]]:
        """Yields a record of each run that has not ended, at multiples of ``record_every``.

        A run ends as in ``train``: at its tolerance, when it diverges, or at the last step. The
        seconds of a stack are shared equally by its runs.
        """
        live = list(range(len(self._networks)))
        done = 0
        with ThreadPoolExecutor(self._threads, "runs", torch.set_num_threads, (1,)) as pool:
            while live:
                records = {run: self._record(run, done) for run in live}
                yield records
                count = min(self._config.steps - done, self._config.record_every)
                kept = [run for run in live if not records[run].outcome]
                if self._alone and self._threads > 1:
                    for training in [pool.submit(self._step, run, count) for run in kept]:
                        training.result()
                elif self._alone:
                    for run in kept:
                        self._step(run, count)
                elif kept:
                    if len(kept) < len(live):
                        self._stack.keep([live.index(run) for run in kept])
                    self._step_stack(kept, count)
                live = kept
                done += count

    def _step(self, run: int, count: int) -> None:
        started = time.perf_counter()
        self._alone[run].step(count)
        self._seconds[run] += time.perf_counter() - started

    def _step_stack(self, runs: Sequence[int], count: int) -> None:
        started = time.perf_counter()
        self._stack.step(count)
        for run in runs:
            self._seconds[run] += (time.perf_counter() - started) / len(runs)

    def _record(self, run: int, done: int) -> Record:
        """The record of a run after ``done`` steps, with its outcome."""
        started = time.perf_counter()
        loss = self._loss(run)
        outcome = ""
        if not math.isfinite(loss):
            outcome, loss = "diverged", math.nan
        elif done == self._config.steps or loss <= self._config.tolerance > 0:
            outcome = "done"
        operations = self._begun[run] + done * self._operations[run]
        first = Record(done, 0.0, 0.0, operations, {"train_loss": np.asarray(loss)}, outcome)
        values = self._measurings[run].beside(first)
        self._measuring[run] += time.perf_counter() - started
        return dataclasses.replace(
            first,
            values=values,
            seconds=self._seconds[run],
            measuring_seconds=self._measuring[run],
        )

    def _loss(self, run: int) -> float:
        if self._alone:
            return self._alone[run].loss()
        return loss_of(self._networks[run], self._problems[run])


def _check(configs: Sequence[Config]) -> None:
    """Refuse runs that cannot be trained together.

    Raises:
        ValueError: if they do not agree in ``SHARED``, if one has scheduled changes, if their
            losses decide the steps of their records, or if they tell classes apart.
    """
    for name in SHARED:
        if len({getattr(config, name) for config in configs}) > 1:
            raise ValueError(f"Runs of one batch must agree in {name}.")
    if not all(map(together, configs)):
        raise ValueError(
            "Runs of one batch cannot change on the way, have records of uneven spacing or tell "
            "classes apart; train them one by one."
        )


def together(config: Config) -> bool:
    """Whether a run can be one of a batch: it has no changes, even records and no mini-batches."""
    classes = traits.problem(config.problem).classifies
    return not config.schedule and config.recording == "even" and not classes


def _stack(factors: Sequence[Tensor]) -> Tensor:
    """The W_l of all runs for one l, padded by zeros to the largest: runs × rows × cols."""
    rows, cols = (max(factor.shape[axis] for factor in factors) for axis in (0, 1))
    stack = factors[0].new_zeros(len(factors), rows, cols)
    for run, factor in enumerate(factors):
        stack[run, : factor.shape[0], : factor.shape[1]] = factor
    return stack


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).to(like).view(-1, 1, 1)
