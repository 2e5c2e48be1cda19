"""Steps: what every form of the gradient steps offers to training.

A class of this folder is either abstract or final. Each form computes the same numbers, up to
rounding; ``fastest`` chooses one.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import ModuleType
from typing import ClassVar

from torch import Tensor

from dynamics.engine.factors import halves
from dynamics.engine.network import Network
from dynamics.engine.problem import Task

Memory = dict[str, Tensor]  # by name, like a state_dict; see ``Steps.memory``


class Steps(ABC):
    """Gradient steps W_l ← W_l − η_l · direction(∂loss/∂W_l) of one network.

    η_l = αη for the first and the last factor, and η_l = η for the factors between them.

    Args:
        network: its factors are updated in place; some forms replace them by views of their own
            arrays.
        problem: what the network learns; may be shared with other networks.
        optimizer: a module of ``optimizers/``.
        learning_rate: η.

    Attributes:
        compiled: whether compiled code makes the steps, so that other Python threads can run
            meanwhile.
        learning_rate: may be changed between steps.
        alpha: may be changed between steps; at first the network's own.
    """

    compiled: ClassVar[bool] = False

    def __init__(
        self, network: Network, problem: Task, optimizer: ModuleType, learning_rate: float
    ) -> None:
        self.network = network
        self.problem = problem.behind(network.backbone)
        self.learning_rate = learning_rate
        self.alpha = network.alpha

    @classmethod
    @abstractmethod
    def applies(cls, network: Network, problem: Task, optimizer: ModuleType) -> bool:
        """Whether this form can make these steps, and is faster."""

    @abstractmethod
    def step(self, count: int = 1) -> None:
        """Make ``count`` gradient steps."""

    @abstractmethod
    def loss(self) -> float:
        """Returns the training loss of the current factors."""

    @property
    @abstractmethod
    def memory(self) -> Memory:
        """A copy of what the steps need to continue, besides the network and the step's number."""

    @abstractmethod
    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Continue from the network as it is now, and from the ``memory`` that belongs to it."""

    @property
    @abstractmethod
    def operations(self) -> float:
        """Floating-point operations of one step, two for each multiplication of its products.

        The count does not depend on having a compiler.
        """

    def rate(self, index: int) -> float:
        """Returns η_l of the factor with this index, counted from 0."""
        outer = index in (0, len(self.network.factors) - 1)
        return self.learning_rate * (self.alpha if outer else 1)


def loss_of(network: Network, problem: Task) -> float:
    """Returns the training loss of a network at this moment."""
    return float(problem.train_loss(*halves(network.factors)))
