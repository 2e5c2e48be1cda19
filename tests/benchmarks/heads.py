"""``python -m tests.benchmarks.heads [BACKBONE]``: processor time of a step of each head.

An MLP, or another backbone, of 512 features on random images of 28 × 28 pixels, mini-batches of
128, ten classes, L = 3, r̂ = 10, momentum, float32, one thread, the heads in turns. Exits with 1 if
a ratio of the MLP misses its bar.
"""

import statistics
import sys
import time

import torch

from dynamics.core.registry import load
from dynamics.engine import device
from dynamics.engine.draws import generator
from dynamics.engine.factors import drawn, spectral
from dynamics.engine.losses.classification import Classification, Images
from dynamics.engine.network import Network
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.steps.interface import Steps

FEATURES, CLASSES, BATCH, BOUND, DEPTH = 512, 10, 128, 10, 3
TURNS, STEPS, WARM = 15, 10, 5
BARS = {  # ratio of two heads, and the largest or the least that it should be
    "original": ("original_layered", 0.75),
    "compressed": ("plain", 1.15),
    "original_layered": ("compressed", 1.8),
}


def heads(kind: str = "mlp") -> dict[str, Steps]:
    """The steps of each head, behind a backbone of its own."""
    rng = generator("benchmark", 0)
    images = Images(torch.randn(2000, 1, 28, 28, generator=rng), torch.arange(2000) % CLASSES)
    backbone = load("backbones", kind).build((1, 28, 28), FEATURES, "relu", rng)
    task = Classification(images, images.first(10), "0123456789", FEATURES, backbone, BATCH)
    left, _, right = task.surrogate(BOUND)
    wide = [CLASSES, *[FEATURES] * (DEPTH - 1), FEATURES]
    factors = {
        "original": drawn(wide, 0.1, "orthogonal", rng),
        "original_layered": drawn(wide, 0.1, "orthogonal", rng),
        "compressed": spectral(left, right, DEPTH, 0.1),
        "plain": drawn([CLASSES, FEATURES], 0.1, "orthogonal", rng),
    }
    networks = {
        name: Network(
            [factor.float() for factor in own],
            backbone=task.backbone(),
            layered=name.endswith("layered"),
        )
        for name, own in factors.items()
    }
    momentum = load("optimizers", "momentum")
    return {name: fastest(network, task, momentum, 0.05) for name, network in networks.items()}


def main(backbone: str = "mlp") -> int:
    """Print milliseconds a step and the ratios; 1 if one misses its bar, which an MLP has."""
    device.use_threads()
    steps = heads(backbone)
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for own in steps.values():
        own.step(WARM)
    for _ in range(TURNS):
        for name, own in steps.items():
            began = time.process_time()
            own.step(STEPS)
            spent[name].append((time.process_time() - began) / STEPS)
    typical = {name: statistics.median(times) for name, times in spent.items()}
    for name, seconds in typical.items():
        work = steps[name].operations
        print(f"{name:17} {1e3 * seconds:6.2f} ms a step, {work / 1e6:,.0f} M operations")
    missed = False
    for name, (other, bar) in BARS.items():
        ratio = typical[name] / typical[other]
        met = ratio >= bar if bar > 1.5 else ratio <= bar
        met = met or backbone != "mlp"
        missed = missed or not met
        print(f"{name} / {other}: {ratio:.2f} (bar {bar:g}){'' if met else ', missed'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
