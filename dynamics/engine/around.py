"""Around: a backbone and a plain last layer, between which W is a hidden layer."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from dynamics.engine.backbones import ACTIVATIONS
from dynamics.engine.draws import seeded
from dynamics.engine.factors import Factors


class Around(nn.Module):
    """The scores V σ(h(x) W) of images x, with the features h of a backbone and an activation σ.

    This is the place of the authors' own experiment (``compress_network_cls`` in their code): one
    hidden layer is a product of factors, and an activation follows it.

    Args:
        before: the backbone.
        activation: the name of σ.
        features: how many features the backbone and W have.
        classes: how many scores the last layer V has.
        inside: whether σ also stands between the factors of W.
        generator: of V, which has torch's own first values.
    """

    def __init__(
        self,
        before: nn.Module,
        activation: str,
        features: int,
        classes: int,
        inside: bool,
        generator: Generator,
    ) -> None:
        super().__init__()
        self.before = before
        self.activation = ACTIVATIONS[activation]()
        with seeded(generator):
            self.last = nn.Linear(features, classes)
        self.inside = inside

    def forward(self, images: Tensor) -> Float[Tensor, "n features"]:
        """h(x) of n images."""
        features: Tensor = self.before(images)
        return features

    def scores(
        self, features: Float[Tensor, "n features"], factors: Factors
    ) -> Float[Tensor, "n classes"]:
        """V σ(h W) with W = W_L ⋯ W_1, factor by factor; the factors may be W alone."""
        signal = features
        for number, factor in enumerate(reversed(factors)):
            signal = self.activation(signal) if number and self.inside else signal
            signal = torch.matmul(signal, factor)
        scores: Tensor = self.last(self.activation(signal))
        return scores
