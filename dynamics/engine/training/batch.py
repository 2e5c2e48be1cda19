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
from dynamics.engine.losses.masked import Masked
from dynamics.engine.measuring.measure import Measuring, Values
from dynamics.engine.network import Network
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.steps.interface import Steps
from dynamics.engine.training.comparison import Comparison
from dynamics.engine.training.lockstep import singular_value_count

SHARED = ("depth", "shape", "steps", "record_every", "optimizer", "dtype", "device", "tolerance")


class Stacked:
    """The steps of ``Descent`` on factors of runs × out × in: the same formulas, one axis more.

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
        places = range(len(networks[0].factors))
        self.factors = [_stack([each.factors[place] for each in networks]) for place in places]
        self._memories: list[dict[str, Tensor]] = [{} for _ in places]
        masked = [each.masked for each in problems]
        self._mask, self._negative = (torch.stack(part) for part in zip(*masked, strict=True))
        self._scale = _column([each.scale for each in problems], like)
        inner = _column(rates, like)
        outer = inner * _column([network.alpha for network in networks], like)
        self._rates = [outer, *[inner] * (len(places) - 2), outer]
        self._share()

    def _share(self) -> None:
        """Make the networks' factors views of the stacked ones."""
        for run, network in enumerate(self._networks):
            for place, factor in enumerate(network.factors):
                rows, cols = factor.shape
                network.factors[place] = self.factors[place][run, :rows, :cols]

    def keep(self, runs: Sequence[int]) -> None:
        """Continue with these runs alone; the factors of the others no longer change."""
        index = torch.tensor(runs, device=self._mask.device)
        self._networks = [self._networks[run] for run in runs]
        self.factors, self._rates = (
            [each[index] for each in of] for of in (self.factors, self._rates)
        )
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
        """∂loss/∂W_l over c; see ``Descent`` for the formulas."""
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
        comparisons: prepared runs, alike in all of ``SHARED``.
        network: which of their networks.
        only: measurements to take; all that apply if empty.
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
        configs = [each.config for each in comparisons]
        for name in SHARED:
            if len({getattr(config, name) for config in configs}) > 1:
                raise ValueError(f"Runs of one batch must agree in {name}.")
        if any(config.schedule for config in configs):
            raise ValueError("Runs of one batch cannot change on the way; train them one by one.")
        self._config = configs[0]
        self._only = only
        self._networks = [each.networks[network] for each in comparisons]
        optimizer = registry.load("optimizers", self._config.optimizer)
        problems, rates = [c.problem for c in comparisons], [c.rate(network) for c in comparisons]
        whole = [each for each in problems if isinstance(each, Masked)]
        if stacked and len(whole) < len(problems):
            raise ValueError("Only completion and factorization runs can be stacked.")
        self._alone: list[Steps] = []
        if not stacked:
            self._alone = [*map(fastest, self._networks, problems, [optimizer] * len(rates), rates)]
            stacked = len(whole) == len(problems) and not all(e.compiled for e in self._alone)
        if stacked:
            self._alone = []
            self._stack = Stacked(self._networks, whole, optimizer, rates)
        self._measurings = [
            Measuring(net, problem, singular_value_count(config), only)
            for net, problem, config in zip(self._networks, problems, configs, strict=True)
        ]

    def __iter__(self) -> Iterator[dict[int, tuple[int, Values]]]:
        """Yields, at every multiple of ``record_every``, step and values of the runs not yet ended.

        A run ends as in ``train``: at its tolerance, when it diverges, or at the last step.
        """
        live = list(range(len(self._networks)))
        done = 0
        with ThreadPoolExecutor(psutil.cpu_count(), "runs", torch.set_num_threads, (1,)) as pool:
            while live:
                values = {run: self._measurings[run].all() for run in live}
                yield {run: (done, each) for run, each in values.items()}
                count = min(self._config.steps - done, self._config.record_every)
                going = [run for run in live if count and self._goes_on(values[run])]
                if self._alone:
                    steps = [self._alone[run].step for run in going]
                    for made in [pool.submit(step, count) for step in steps]:
                        made.result()
                elif going:
                    if len(going) < len(live):
                        self._stack.keep([live.index(run) for run in going])
                    self._stack.step(count)
                live = going
                done = done + count

    def _goes_on(self, values: Values) -> bool:
        loss = float(values["train_loss"])
        return loss < float("inf") and not loss <= self._config.tolerance > 0


def _stack(factors: Sequence[Tensor]) -> Tensor:
    """Factors of one place in their networks, padded by zeros to the largest."""
    rows, cols = (max(factor.shape[axis] for factor in factors) for axis in (0, 1))
    stack = factors[0].new_zeros(len(factors), rows, cols)
    for run, factor in enumerate(factors):
        stack[run, : factor.shape[0], : factor.shape[1]] = factor
    return stack


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).to(like).view(-1, 1, 1)
