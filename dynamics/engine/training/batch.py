"""Batch: many runs of one shape trained together, with the same results as alone.

Runs may differ in α, ε, η, seeds, fraction observed, noise and, by zero padding, in r̂: zeros in a
factor's spare rows and columns get zero gradients. On a CPU with compiled kernels the runs are
spread over the cores, which is faster than one large product; otherwise they are stacked. Sensing
runs are spread, too, because each has measurements of its own.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from types import ModuleType

import psutil
import torch
from torch import Tensor

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.engine.losses.masked import Masked
from dynamics.engine.measuring.measure import Measuring, Values
from dynamics.engine.network import Network
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.steps.interface import Steps
from dynamics.engine.training.comparison import Comparison
from dynamics.engine.training.lockstep import singular_value_count

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
        only: measurements to take; if empty, all that apply.
        stacked: train as one stack even if compiled kernels are faster; not for sensing.

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
    ) -> None:
        configs = [comparison.config for comparison in comparisons]
        _check(configs)
        self._config = configs[0]
        self._only = only
        self._networks = [comparison.networks[network] for comparison in comparisons]
        optimizer = registry.load("optimizers", self._config.optimizer)
        problems = [comparison.problem for comparison in comparisons]
        rates = [comparison.rate(network) for comparison in comparisons]
        masked = [problem for problem in problems if isinstance(problem, Masked)]
        if stacked and len(masked) < len(problems):
            raise ValueError("Only completion and factorization runs can be stacked.")
        self._alone: list[Steps] = []
        if not stacked:
            self._alone = [
                fastest(net, problem, optimizer, rate)
                for net, problem, rate in zip(self._networks, problems, rates, strict=True)
            ]
            compiled = all(steps.compiled for steps in self._alone)
            stacked = len(masked) == len(problems) and not compiled
        if stacked:
            self._alone = []
            self._stack = Stacked(self._networks, masked, optimizer, rates)
        self._measurings = [
            Measuring(net, problem, singular_value_count(config), only)
            for net, problem, config in zip(self._networks, problems, configs, strict=True)
        ]

    def __iter__(self) -> Iterator[dict[int, tuple[int, Values]]]:
        """Yields step and values of each run that has not ended, at multiples of ``record_every``.

        A run ends as in ``train``: at its tolerance, when it diverges, or at the last step.
        """
        live = list(range(len(self._networks)))
        done = 0
        with ThreadPoolExecutor(psutil.cpu_count(), "runs", torch.set_num_threads, (1,)) as pool:
            while live:
                values = {run: self._measurings[run].all() for run in live}
                yield {run: (done, of_run) for run, of_run in values.items()}
                count = min(self._config.steps - done, self._config.record_every)
                kept = [run for run in live if count and self._continues(values[run])]
                if self._alone:
                    for training in [pool.submit(self._alone[run].step, count) for run in kept]:
                        training.result()
                elif kept:
                    if len(kept) < len(live):
                        self._stack.keep([live.index(run) for run in kept])
                    self._stack.step(count)
                live = kept
                done += count

    def _continues(self, values: Values) -> bool:
        loss = float(values["train_loss"])
        return loss < float("inf") and not loss <= self._config.tolerance > 0


def _check(configs: Sequence[Config]) -> None:
    """Refuse runs that cannot be trained together.

    Raises:
        ValueError: if they do not agree in ``SHARED``, or one has scheduled changes.
    """
    for name in SHARED:
        if len({getattr(config, name) for config in configs}) > 1:
            raise ValueError(f"Runs of one batch must agree in {name}.")
    if any(config.schedule for config in configs):
        raise ValueError("Runs of one batch cannot change on the way; train them one by one.")


def _stack(factors: Sequence[Tensor]) -> Tensor:
    """The W_l of all runs for one l, padded by zeros to the largest: runs × rows × cols."""
    rows, cols = (max(factor.shape[axis] for factor in factors) for axis in (0, 1))
    stack = factors[0].new_zeros(len(factors), rows, cols)
    for run, factor in enumerate(factors):
        stack[run, : factor.shape[0], : factor.shape[1]] = factor
    return stack


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).to(like).view(-1, 1, 1)
