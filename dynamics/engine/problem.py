"""Problem: what every training problem has, and what the recovery of a matrix adds.

A file of ``problems/`` makes a problem from a Config. Its constants name the settings that it reads
(``READS``) and the shape of the matrix if the data fix the shape (``SHAPE``).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dynamics.engine.target import Samples, Target

if TYPE_CHECKING:
    from dynamics.engine.losses.entries import Pattern

Pull = tuple[Tensor, Tensor]  # the two factors of a product that has not been multiplied yet


class Task(ABC):
    """A loss of W = left · right, the product of a network's factors.

    A network may have a backbone, whose features W multiplies. A task for such networks overrides
    ``behind``.

    Attributes:
        shape: rows and columns of W.
        scale: c, so that ∂loss/∂W = c · G for the G of ``pull``.
        next_step: number of the next step. A mini-batch follows from it and a seed alone, so that
            training can continue anywhere.
        look: operations of the pass over all data from which ``surrogate`` follows, if the
            config's sizes do not tell them.
        before: operations that every network needs before its first step, and no step again.
        measures: what ``test_loss`` measures, in words.
        pictured: whether W itself is recorded, because it is a picture.
        linear: whether only the product of the factors counts; False with activations between them.
    """

    shape: tuple[int, int]
    scale: float
    measures: str
    next_step: int = 0
    look: float = 0.0
    before: float = 0.0
    pictured: bool = False
    linear: bool = True

    def behind(self, backbone: torch.nn.Module | None) -> "Task":
        """Returns the task of a network with this backbone, with mini-batches of its own.

        It may be this task if that is its backbone already. Without backbones and mini-batches all
        networks share one task.
        """
        return self

    def backbone(self) -> torch.nn.Module | None:
        """Returns a new backbone at its start, the same at each call; None if W is all there is."""
        return None

    def at_end(self) -> "Task":
        """Returns the task whose ``test_loss`` reads all held-out data, for the last record."""
        return self

    @abstractmethod
    def pull(self, left: Tensor, right: Tensor) -> tuple[Pull, Pull]:
        """G · rightᵀ and Gᵀ · left, each as the two factors of a product.

        Takes the next mini-batch if the task has mini-batches. Leaves the gradients of the backbone
        in the ``grad`` of its parameters, unless they require none.
        """

    @abstractmethod
    def surrogate(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """The first ``count`` singular triplets (left, values, right) of −∇loss(W = 0)."""

    @abstractmethod
    def train_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """The loss that gradient descent minimizes, on the training data."""

    @abstractmethod
    def test_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """The held-out quantity, in memory of its own so that training may continue meanwhile."""

    @abstractmethod
    def operations(self, width: int) -> float:
        """Operations of ``pull`` and of its two products if ``right`` has ``width`` rows."""

    @property
    def facts(self) -> dict[str, list[Any]]:
        """What charts and summaries show of the problem: by name, a list of numbers or of words."""
        return {"test_loss": [self.measures]}


class Recovery(Task):
    """The recovery of a matrix: (c/2)·‖A(W) − y‖² with a linear map A.

    Attributes:
        curvature: c times the mean factor by which AᵀA multiplies: −∇loss(0) ≈ curvature · M*.
        target: M*; None if it is unknown.
        names: facts on what rows and columns of W are called; empty if they have no names.
        apart: entries that are kept apart for validation; None if there are none.
    """

    curvature: float
    target: Target | None
    names: Mapping[str, list[Any]] = {}
    apart: "Pattern | None" = None

    @abstractmethod
    def residual(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Aᵀ(A(left·right) − y) and its transpose, in buffers that the next call overwrites."""

    def pull(self, left: Tensor, right: Tensor) -> tuple[Pull, Pull]:
        """residual·rightᵀ and residualᵀ·left, each as the two factors of a product.

        A problem that needs no residual matrix overrides this.
        """
        residual, transposed = self.residual(left, right)
        return (residual, right.mT), (transposed, left)

    @property
    def samples(self) -> Samples | None:
        """The observed entries; None if the loss is not a mean over entries."""
        return None

    @property
    def whole(self) -> Target | None:
        """M* if the loss is (c/2)·‖W − M*‖² and M* is known by its triplets, otherwise None."""
        return None

    @property
    def facts(self) -> dict[str, list[Any]]:
        """The facts of every task, names, and the target's singular values if it is known."""
        facts: dict[str, list[Any]] = super().facts | dict(self.names)
        if self.target is not None:
            facts["target_singular_values"] = self.target.values.tolist()
        return facts


def target_of(task: Task) -> Target | None:
    """Returns M*; None if it is unknown, or if the task does not recover a matrix."""
    return task.target if isinstance(task, Recovery) else None


def whole_of(task: Task) -> Target | None:
    """Returns M* if the loss is (c/2)·‖W − M*‖² and M* is known by its triplets, otherwise None."""
    return task.whole if isinstance(task, Recovery) else None
