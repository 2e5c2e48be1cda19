"""Device: where a run is computed, the processor's name, and the number of threads."""

import math
import platform
import re
import sys
from pathlib import Path

import torch

from dynamics.core import sizes, traits
from dynamics.core.config import Config
from dynamics.core.machine.threads import use_one
from dynamics.engine.kernels import multiply
from dynamics.engine.losses import sums

SWITCH = 1e-4  # seconds after which a thread passes Python's lock to a waiting thread


def device(config: Config) -> torch.device:
    """Returns the device that the config names; for ``auto`` the GPU if the machine has one.

    Raises:
        ValueError: if CUDA is asked for and missing.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda was asked for, and this machine has none; use auto or cpu.")
    cuda = config.device != "cpu" and torch.cuda.is_available()
    return torch.device("cuda" if cuda else "cpu")


def use_threads() -> None:
    """Use one thread in this process, so that a run's digits depend on its config alone.

    With more, torch and NumPy sum up in an order that follows the number of threads. The few
    operations that gain by a second thread cut themselves in two, always in the same way: see
    ``kernels/multiply.py`` and ``losses/sums.py``.
    """
    use_one()
    torch.set_num_threads(1)
    # Training needs Python's lock between its calls, so measuring must not hold it for long.
    sys.setswitchinterval(SWITCH)


def threads(config: Config) -> int:
    """How many threads train the run: 2 if its products or measurements are worth it, else 1."""
    stepped = [name for name in config.networks if not traits.network(name).reduced]
    sides = [sizes.widths(config, name) for name in stepped]
    triples = (triple for side in sides for triple in zip(side, side[1:], side[2:], strict=False))
    rows, cols = config.shape
    dense = config.problem == "sensing" and config.sensing == "gaussian"
    many = dense and rows * cols * config.measurements >= sums.WORTH_TWO
    return 2 if many or any(math.prod(triple) >= multiply.WORTH_TWO for triple in triples) else 1


def told(config: Config) -> str:
    """The processor or accelerator and the number of threads, in words."""
    if device(config).type == "cuda":
        return torch.cuda.get_device_name()
    count = threads(config)
    return f"{processor()}, {count} thread{'s' if count > 1 else ''}"


def processor() -> str:
    """The CPU's short name, such as ``AMD EPYC CPU``; ``CPU`` if it has none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    name = models[0] if models else platform.processor()
    words = re.sub(r"\((R|TM)\)|\bCPU\b|@.*|\bProcessor\b", "", name)
    return " ".join([*words.split(), "CPU"])
