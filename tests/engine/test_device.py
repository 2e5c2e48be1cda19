"""Machine: the words for what a run is computed on."""

from pathlib import Path

import pytest

from dynamics.core.config import Config
from dynamics.engine import device


@pytest.mark.parametrize(
    ("said", "short"),
    [
        ("model name\t: AMD EPYC 7763 64-Core Processor\n", "AMD EPYC 7763 64-Core CPU"),
        ("model name\t: Intel(R) Xeon(R) CPU @ 2.20GHz\n", "Intel Xeon CPU"),
        ("processor\t: 0\n", "CPU"),
    ],
)
def test_a_processor_s_name_is_short(
    said: str, short: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line beside a run's state has room for no more."""
    monkeypatch.setattr(Path, "read_text", lambda _, encoding: said)
    monkeypatch.setattr("platform.processor", lambda: "")
    assert device.processor() == short


def test_the_threads_are_told_beside_it() -> None:
    assert device.told(Config(device="cpu")).endswith("CPU, 1 thread")
