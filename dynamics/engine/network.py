"""Network: the factors of a deep linear network, and what can be measured of them.

A file of ``networks/`` builds one from a Config and a Problem.
"""

from dataclasses import dataclass

from dynamics.engine.factors import Factors


@dataclass(frozen=True)
class Network:
    """A deep linear network W_L ⋯ W_1 in training; its factors are updated in place.

    The first and the last factor move by α times the learning rate. ``reduction`` names an exact
    simulation of ``reduction.py`` that makes the steps in place of the factors' own products.
    ``adrift`` says that a narrow network starts at random, away from the target's directions.
    """

    factors: Factors
    alpha: float = 1.0
    reduction: str = ""
    adrift: bool = False

    def __post_init__(self) -> None:
        # A tall last factor is stored by columns: all skinny products then read along rows.
        last = self.factors[-1].mT.contiguous().mT
        self.factors[:] = [*(factor.contiguous() for factor in self.factors[:-1]), last]

    @property
    def widths(self) -> list[int]:
        """cols, the hidden widths, rows."""
        return [self.factors[0].shape[-1], *(factor.shape[-2] for factor in self.factors)]
