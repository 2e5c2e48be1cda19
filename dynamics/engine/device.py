"""Device: where a run is computed, the processor's name, and the number of threads."""

import platform
import re
import sys
from pathlib import Path

import psutil
import torch

from dynamics.core import sizes
from dynamics.core.config import Config

SWITCH = 1e-4  # seconds after which a thread passes Python's lock to a waiting thread
WIDE = 600  # least width of a network that gains by a second thread
MANY = 2**24  # least count of numbers in measurements that gain by a second thread
LOOK = 0.2  # seconds for which the use of the cores is watched
SPARE = 0.3  # cores; this much of the two cores that are needed may be in use


def device(config: Config) -> torch.device:
    """Returns the device that the config names; for ``auto`` the GPU if the machine has one.

    Raises:
        ValueError: if CUDA is asked for and missing.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda was asked for, and this machine has none; use auto or cpu.")
    cuda = config.device != "cpu" and torch.cuda.is_available()
    return torch.device("cuda" if cuda else "cpu")


def use_threads(config: Config) -> None:
    """Use one thread, because runs are spread over cores; two if that gains and a core is idle.

    Products of a wide original network and large sets of measurements gain. Small products become
    slower with a second thread. All products become slower if that thread's core is busy.
    """
    rows, cols = config.shape
    wide = sizes.wide(config) and (config.width or min(rows, cols)) >= WIDE
    dense = config.problem == "sensing" and config.sensing == "gaussian"
    many = dense and rows * cols * config.measurements >= MANY
    cores = psutil.cpu_count() or 1
    idle = (wide or many) and cores * (1 - psutil.cpu_percent(LOOK) / 100) >= 2 - SPARE
    torch.set_num_threads(2 if idle else 1)
    # Training needs Python's lock between its calls, so measuring must not hold it for long.
    sys.setswitchinterval(SWITCH)


def told(config: Config) -> str:
    """The processor or accelerator and the number of threads, in words."""
    if device(config).type == "cuda":
        return torch.cuda.get_device_name()
    count = torch.get_num_threads()
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
