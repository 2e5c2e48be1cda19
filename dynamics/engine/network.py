"""Network: the factors of a deep linear network, perhaps behind a backbone.

A file of ``networks/`` makes a Network from a Config and a problem. Its constants name the α and
the form of the steps.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from dynamics.core import registry, traits
from dynamics.core.config import Config
from dynamics.core.rates import alpha
from dynamics.engine.factors import Factors
from dynamics.engine.problem import Task


@dataclass(frozen=True)
class Network:
    """A deep linear network W_L ⋯ W_1 in training; its factors are updated in place.

    Attributes:
        factors: W_1, …, W_L.
        alpha: the first and the last factor move by α times the learning rate.
        reduction: the name of an exact simulation (``steps/reduced.py``) that makes the steps in
            place of the factors' own products; empty for none.
        adrift: whether a narrow network starts at random, away from the target's directions.
        backbone: a module whose features W multiplies; None if the network is W alone.
        backbone_rate: the backbone moves by this times the learning rate. At 0 its parameters
            require no gradient.
        alpha_first: the backbone's first matrix moves by this times the rate of the backbone.
        layered: whether autograd makes the steps, factor by factor, for comparison.
    """

    factors: Factors
    alpha: float = 1.0
    reduction: str = ""
    adrift: bool = False
    backbone: torch.nn.Module | None = None
    backbone_rate: float = 1.0
    alpha_first: float = 1.0
    layered: bool = False

    def __post_init__(self) -> None:
        # A tall last factor is stored by columns, so that all skinny products read along rows.
        last = self.factors[-1].mT.contiguous().mT
        self.factors[:] = [*(factor.contiguous() for factor in self.factors[:-1]), last]
        if self.backbone is not None and not self.backbone_rate:
            self.backbone.requires_grad_(False)

    @property
    def widths(self) -> list[int]:
        """cols, the hidden widths, rows."""
        return [self.factors[0].shape[-1], *(factor.shape[-2] for factor in self.factors)]

    @property
    def paces(self) -> list[tuple[torch.nn.Parameter, float]]:
        """The backbone's parameters that move, each with its rate as a multiple of ρη."""
        named = [] if self.backbone is None else list(self.backbone.named_parameters())
        first = next((each for name, each in named if name.endswith("weight")), None)
        return [
            (each, self.alpha_first if each is first else 1.0)
            for _, each in named
            if each.requires_grad
        ]

    def restore(self, factors: Factors, backbone: Mapping[str, Tensor]) -> None:
        """Copy these factors, and this state_dict of the backbone, into the network's own."""
        for factor, source in zip(self.factors, factors, strict=True):
            factor.copy_(source)
        if self.backbone is not None:
            self.backbone.load_state_dict(dict(backbone))


def build(name: str, config: Config, problem: Task) -> Network:
    """The network of this name at its start.

    Raises:
        ValueError: if the settings do not fit the data.
        MemoryError: if they do not fit the machine.
    """
    kind = traits.network(name)
    made: Network = registry.load("networks", kind.like or name).build(config, problem)
    return dataclasses.replace(
        made,
        alpha=alpha(config, name),
        reduction=kind.reduction,
        adrift=kind.adrift,
        backbone=problem.backbone(),
        backbone_rate=config.backbone_rate,
        alpha_first=config.alpha_first,
        layered=kind.layered,
    )
