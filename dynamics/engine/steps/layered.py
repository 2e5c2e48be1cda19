"""Layered: steps by autograd, as other programs make them, for comparison."""

from types import ModuleType
from typing import final

import torch

from dynamics.engine.around import Around
from dynamics.engine.factors import product
from dynamics.engine.losses.classification import Classification, Halves
from dynamics.engine.network import Network
from dynamics.engine.problem import Task
from dynamics.engine.steps.plain import Moving


@final
class LayeredDescent(Moving):
    """Steps that send features through each factor in turn, and autograd back."""

    @classmethod
    def applies(cls, network: Network, problem: Task, optimizer: ModuleType) -> bool:
        """Whether W is a hidden layer, or the network asks for it; other forms are faster."""
        return isinstance(problem, Classification) and (network.layered or problem.hidden)

    def loss(self) -> float:
        """Returns the training loss of the current factors."""
        assert isinstance(self.problem, Classification)
        factors = self.network.factors
        return float(self.problem.loss("train", Halves(factors, product(factors))))

    def _step(self) -> None:
        assert isinstance(self.problem, Classification)
        leaves = [factor.detach().requires_grad_() for factor in self.network.factors]
        backbone = self.network.backbone
        assert backbone is not None
        parameters = [each for each in backbone.parameters() if each.requires_grad]
        signal, labels = self.problem.seen()
        if isinstance(backbone, Around):
            signal = backbone.scores(signal, leaves)
        else:
            for factor in reversed(leaves):
                signal = signal @ factor
        loss = torch.nn.functional.cross_entropy(signal, labels)
        gradients = torch.autograd.grad(loss, [*leaves, *parameters])
        for parameter, gradient in zip(parameters, gradients[len(leaves) :], strict=True):
            parameter.grad = gradient
        for index, gradient in enumerate(gradients[: len(leaves)]):
            self._moves.move(index, None, gradient)
        self._moves.move_backbone()

    @property
    def operations(self) -> float:
        """Floating-point operations of one step, two for each multiplication of its products."""
        assert isinstance(self.problem, Classification)
        return self.problem.layered_operations([factor.numel() for factor in self.network.factors])
