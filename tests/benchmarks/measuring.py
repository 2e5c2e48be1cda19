"""``python -m tests.benchmarks.measuring``: what measuring costs training, beside its bar.

The default run (d = 100, L = 3, both networks, the default interval), with everything measured and
with the training loss alone, in turns; and, with all networks, digits with their suggested settings
and FashionMNIST behind an MLP of 512 features, if it is on this machine. Exits with 1 if a bar is
missed.
"""

import statistics
import sys
import time

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.data.folder import DataError
from dynamics.engine import device
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.training.comparison import prepare

BAR = 0.05  # of the seconds of training
CLASSES_BAR = 0.25  # the same where classes are told apart
REPEATS = 7
DIGITS = Config.from_dict({"problem": "digits"})
WIDE = Config.from_dict({"problem": "fashion_mnist", "features": 512})


def measured(config: Config) -> tuple[float, float, dict[str, int]]:
    """Wall seconds of a run, measuring over training, and at which step each network ended."""
    comparison = prepare(config)
    began, last = time.perf_counter(), {}
    for row in comparison:
        last |= row or {}
    wall = time.perf_counter() - began
    training = sum(record.seconds for record in last.values())
    measuring = sum(record.measuring_seconds for record in last.values())
    return wall, measuring / training, {name: record.step for name, record in last.items()}


def bare(config: Config, steps: dict[str, int]) -> float:
    """Wall seconds of the same steps with the training loss at each record, and nothing else."""
    comparison = prepare(config)
    optimizer = registry.load("optimizers", config.optimizer)
    began = time.perf_counter()
    for name, network in comparison.networks.items():
        descent = fastest(network, comparison.problem, optimizer, comparison.rate(name))
        for _ in range(0, steps[name], config.record_every):
            descent.loss()
            descent.step(config.record_every)
    return time.perf_counter() - began


def main() -> int:
    """Print the figures; 1 if measuring takes more than its bars."""
    config = Config()
    device.use_threads()
    shares, ratios = [], []
    for _ in range(REPEATS):
        wall, share, steps = measured(config)
        shares.append(share)
        ratios.append(wall / bare(config, steps))
    share = statistics.median(shares)
    print(f"measuring over training, median: {share:.1%} (at most {BAR:.0%})")
    print(f"wall time over that with losses alone, median: {statistics.median(ratios):.2f}")
    missed = share > BAR
    for name, config, repeats in (("digits", DIGITS, REPEATS), ("MLP 512", WIDE, 1)):
        try:
            told = statistics.median(measured(config)[1] for _ in range(repeats))
        except DataError as error:
            print(f"{name}: {error}")
            continue
        print(f"measuring over training, {name}: {told:.1%} (at most {CLASSES_BAR:.0%})")
        missed = missed or told > CLASSES_BAR
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
