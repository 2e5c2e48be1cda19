"""A task that is no matrix recovery: real digits, cross-entropy, a backbone, mini-batches."""

from collections.abc import Mapping
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from dynamics.core.config import Config
from dynamics.core.rates import alpha
from dynamics.core.sizes import widths
from dynamics.engine.factors import drawn
from dynamics.engine.network import Network
from dynamics.engine.problem import Pull, Task
from dynamics.engine.training.comparison import Comparison, compared
from tests.support.make import small

CLASSES, FEATURES, BATCH = 10, 24, 32


class Digits(Task):
    """Cross-entropy of W h(x), with W classes × features and h the backbone's features of x."""

    shape, scale, measures = (CLASSES, FEATURES), 1.0, "share of wrong test images"

    def __init__(self, backbone: nn.Module | None = None) -> None:
        pixels, labels = load_digits(return_X_y=True)
        self._pixels, self._labels = torch.tensor(pixels / 16), torch.tensor(labels)
        self._backbone = backbone

    def behind(self, backbone: nn.Module | None) -> "Digits":
        return Digits(backbone)

    def batch(self) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(self.next_step)
        rows = torch.randint(1000, (BATCH,), generator=generator)
        self.next_step += 1
        return self._pixels[rows], self._labels[rows]

    def pull(self, left: Tensor, right: Tensor) -> tuple[Pull, Pull]:
        assert self._backbone is not None
        pixels, labels = self.batch()
        self._backbone.zero_grad()
        head = (left @ right).requires_grad_()
        logits = self._backbone(pixels) @ head.mT
        torch.autograd.backward(nn.functional.cross_entropy(logits, labels))
        assert head.grad is not None
        return (head.grad, right.mT), (head.grad.mT, left)

    def surrogate(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        raise NotImplementedError

    def train_loss(self, left: Tensor, right: Tensor) -> Tensor:
        return nn.functional.cross_entropy(
            self._logits(slice(1000), left, right), self._labels[:1000]
        )

    def test_loss(self, left: Tensor, right: Tensor) -> Tensor:
        wrong = self._logits(slice(1000, None), left, right).argmax(1) != self._labels[1000:]
        return wrong.double().mean()

    @torch.no_grad()
    def _logits(self, rows: slice, left: Tensor, right: Tensor) -> Tensor:
        assert self._backbone is not None
        return self._backbone(self._pixels[rows]) @ (left @ right).mT

    def operations(self, width: int) -> float:
        return 6.0 * CLASSES * FEATURES * width


def backbone() -> nn.Module:
    """The same first values at each call."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(64, FEATURES), nn.Tanh()).double()


def settings(**changes: Any) -> Config:
    return small(
        **({"rows": CLASSES, "cols": FEATURES, "steps": 100, "record_every": 20} | changes)
    )


def digits(config: Config) -> Comparison:
    """Networks of both widths about to learn digits, each behind a backbone of its own."""
    networks: Mapping[str, Network] = {
        name: Network(
            drawn(widths(config, name), 0.5, "orthogonal", torch.Generator().manual_seed(seed)),
            alpha(config, name),
            backbone=backbone(),
        )
        for seed, name in enumerate(config.networks)
    }
    return compared(config, Digits(), networks)
