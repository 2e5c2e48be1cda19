"""``python -m tests.benchmarks.watching``: what ``watch`` adds to the time of a training loop.

MLP 784-512-512 with a head of three factors, on random images, mini-batches of 128, momentum,
float32, one thread. Two equal models train in turns, one of them watched: its head's product and
factors and, in the second measurement, its backbone's matrices too. Exits with 1 if one misses its
bar.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from dynamics import watch

WIDTH, CLASSES, BATCH, EVERY = 512, 10, 128, 50
TURNS = 12
BAR = 0.05
HEAD = [["head.0", "head.1", "head.2"]]
WATCHED: dict[str, dict[str, Any]] = {
    "head": {"factors": HEAD},
    "head and backbone": {"factors": HEAD, "names": ["backbone.0", "backbone.2"]},
}


class Classifier(nn.Module):
    """Two hidden layers and a deep linear head."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        layers = (nn.Linear(784, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU())
        self.backbone = nn.Sequential(*layers)
        sizes = ((WIDTH, WIDTH), (WIDTH, WIDTH), (WIDTH, CLASSES))
        self.head = nn.Sequential(*(nn.Linear(*size, bias=False) for size in sizes))

    def forward(self, images: torch.Tensor) -> Any:
        """The logits."""
        return self.head(self.backbone(images))


def loop(model: nn.Module) -> Callable[[], Any]:
    """A function that makes one step and returns its loss."""
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    rng = torch.Generator().manual_seed(0)
    images = torch.randn(2000, 784, generator=rng)
    labels = torch.randint(CLASSES, (2000,), generator=rng)

    def step() -> Any:
        picked = torch.randint(len(images), (BATCH,), generator=rng)
        loss = nn.functional.cross_entropy(model(images[picked]), labels[picked])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def overhead(named: dict[str, Any]) -> float:
    """The share of the time of a loop by which watching lengthens it, in processor time."""
    model = Classifier()
    plain, watched = loop(Classifier()), loop(model)
    ratios = []
    with (
        tempfile.TemporaryDirectory() as folder,
        watch(model, folder, every=EVERY, **named) as recorder,
    ):
        for _ in range(TURNS + 1):  # the first warms up
            spent = []
            for step, tell in ((plain, None), (watched, recorder.step)):
                began = time.process_time()
                for _ in range(EVERY):
                    loss = step()
                    if tell:
                        tell(loss=loss)
                spent.append(time.process_time() - began)
            ratios.append(spent[1] / spent[0] - 1)
    return statistics.median(ratios[1:])


def main() -> int:
    """Print the shares; 1 if one misses its bar."""
    torch.set_num_threads(1)
    missed = False
    for what, named in WATCHED.items():
        share = overhead(named)
        missed = missed or share > BAR
        print(f"{what}: {100 * share:.1f} % (bar {100 * BAR:g} %)")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
