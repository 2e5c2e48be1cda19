"""Network: the factors of a deep linear network, perhaps behind a backbone.

A file of ``networks/`` builds one from a Config and a problem.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from dynamics.engine.factors import Factors


@dataclass(frozen=True)
class Network:
    """A deep linear network W_L ⋯ W_1 in training; its factors are updated in place.

    Attributes:
        factors: W_1, …, W_L.
        alpha: the first and the last factor move by α times the learning rate.
        reduction: the name of an exact simulation (``steps/reduced.py``) that makes the steps in
            place of the factors' own products; empty for none.
        adrift: whether a narrow network starts at random, away from the target's directions.
        backbone: a module whose features W multiplies; None for a network that is W alone.
    """

    factors: Factors
    alpha: float = 1.0
    reduction: str = ""
    adrift: bool = False
    backbone: torch.nn.Module | None = None

    def __post_init__(self) -> None:
        # A tall last factor is stored by columns: all skinny products then read along rows.
        last = self.factors[-1].mT.contiguous().mT
        self.factors[:] = [*(factor.contiguous() for factor in self.factors[:-1]), last]

    @property
    def widths(self) -> list[int]:
        """cols, the hidden widths, rows."""
        return [self.factors[0].shape[-1], *(factor.shape[-2] for factor in self.factors)]

    def restore(self, factors: Factors, backbone: Mapping[str, Tensor]) -> None:
        """Copy these factors, and this state_dict of the backbone, into the network's own."""
        for factor, source in zip(self.factors, factors, strict=True):
            factor.copy_(source)
        if self.backbone is not None:
            self.backbone.load_state_dict(dict(backbone))
