"""Machine: what a run is computed on: its device, the processor by name, its threads."""

import platform
import re
import sys
from pathlib import Path

import psutil
import torch

from dynamics.core import sizes
from dynamics.core.config import Config

SWITCH = 1e-4  # seconds
WIDE, MANY = 600, 2**24  # width and numbers in the measurements that are worth two threads
LOOK, SPARE = 0.2, 0.3  # seconds to look at the cores; how much of two may be in use


def device(config: Config) -> torch.device:
    """Where to compute: what the config says, or the accelerator if there is one.

    Raises:
        ValueError: if CUDA is asked for and not there.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda was asked for, and this machine has none; use auto or cpu.")
    cuda = config.device != "cpu" and torch.cuda.is_available()
    return torch.device("cuda" if cuda else "cpu")


def use_threads(config: Config) -> None:
    """One thread, as runs are what is spread over cores; two where that gains and a core is idle.

    It gains for the products of a wide original network and for large sets of measurements; small
    products lose by a second thread, and all of them lose to other work on its core.
    """
    rows, cols = config.shape
    wide = sizes.wide(config) and (config.width or min(rows, cols)) >= WIDE
    dense = config.problem == "sensing" and config.sensing == "gaussian"
    many = dense and rows * cols * config.measurements >= MANY
    cores = psutil.cpu_count() or 1
    idle = (wide or many) and cores * (1 - psutil.cpu_percent(LOOK) / 100) >= 2 - SPARE
    torch.set_num_threads(2 if idle else 1)
    # Training asks for Python's lock between its calls; measuring must not keep it for long.
    sys.setswitchinterval(SWITCH)


def told(config: Config) -> str:
    """What the run is computed on, in words."""
    if device(config).type == "cuda":
        return torch.cuda.get_device_name()
    count = torch.get_num_threads()
    return f"{processor()}, {count} thread{'s' if count > 1 else ''}"


def processor() -> str:
    """The CPU's name, short, such as ``AMD EPYC CPU``; where it has none, ``CPU``."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    name = named[0] if named else platform.processor()
    words = re.sub(r"\((R|TM)\)|\bCPU\b|@.*|\bProcessor\b", "", name)
    return " ".join([*words.split(), "CPU"])
