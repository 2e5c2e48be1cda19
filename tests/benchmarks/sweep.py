"""``python -m tests.benchmarks.sweep [alpha] [grid] [tiny] [workers]``: the speed of sweeps.

- ``alpha``: the 38 values of the authors' ablation, to their stop. A sweep from the command to its
  last folder, against ``Batch`` alone on all cores, both from the start of their processes, and
  against plain JAX run after run (``requirements-bench.txt``), as the authors have it: a jitted
  loop of 100 steps and the loss after each. The sweep stops where they stopped.
- ``grid``: 20 × 20 values of (r̂, ε), completion of 100 × 100.
- ``tiny``: 1,000 runs of 20 × 20.
- ``workers``: 200 runs on one to four workers of a Dask cluster on this machine. No bar.

Exits with 1 if a bar is missed.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from distributed import Client

from dynamics.core.config import Config
from dynamics.core.sweep import Axis, Sweep
from dynamics.data import published
from dynamics.runs.run import Run
from tests.support.make import until

COMMON = (
    "--problem completion --matrices ablation_alpha --rows 100 --cols 100 --rank 5 --observed 0.2 "
    "--rank-bound 10 --learning-rate 10 --steps 100000 --record-every 100 --tolerance 1e-10"
)
ALPHAS = "0.5:9.75:0.25"
OF_A_SECOND = (
    "--rows 60 --cols 60 --rank 4 --observed 0.5 --steps 3000 "
    "--record-every 50 --tolerance 0 --alpha-original 1:1.95:0.05 --seeds 10 --of original"
)
END, JAX, GRID, TINY = 1.25, 3.3, 240.0, 25.0  # the bars
LEVEL = 1e-10


def ablation() -> Sweep:
    """The sweep of the authors' ablation."""
    words = COMMON.split()
    given = {flag[2:].replace("-", "_"): v for flag, v in zip(words[::2], words[1::2], strict=True)}
    return Sweep.of(given, [Axis.read("alpha", ALPHAS)], outcome="final")


def timed(run: Callable[[], object]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def process(*words: str) -> float:
    """Seconds of a process of Python, from its start to its end."""
    return timed(lambda: subprocess.run([sys.executable, *words], check=True, capture_output=True))


def swept(runs: Path, flags: str) -> float:
    """Seconds of the command."""
    return process("-m", "dynamics", "sweep", *flags.split(), "--runs", str(runs))


def batch() -> None:
    """The ablation by ``Batch`` alone, which keeps nothing."""
    from dynamics.engine.training.batch import Batch
    from dynamics.engine.training.comparison import prepare

    comparisons = [prepare(config) for config in ablation().configs]
    for _ in Batch(comparisons, "compressed", ("train_loss",)):
        pass


def jax() -> None:
    """The ablation by plain JAX, run after run, each to its tolerance."""
    from dynamics.engine.training.comparison import prepare
    from dynamics.peers.rivals import plain_jax

    for config in ablation().configs:
        run = plain_jax(prepare(config), "compressed")
        while run(100)[0] > LEVEL:  # type: ignore[index]
            pass


def alpha() -> bool:
    """The ablation against Batch alone and JAX."""
    module = "tests.benchmarks.sweep"
    with tempfile.TemporaryDirectory() as folder:
        times = {"Batch alone": [], "sweep": []}  # type: dict[str, list[float]]
        for turn in range(3):
            runs = Path(folder) / str(turn)
            times["Batch alone"].append(process("-m", module, "batch"))
            times["sweep"].append(swept(runs, f"{COMMON} --alpha {ALPHAS} --outcome final"))
        equal = stops(runs, ablation().configs)
    alone, whole = (min(each) for each in times.values())
    print(
        f"38 values of α: sweep {whole:.2f} s, Batch alone {alone:.2f} s, "
        f"ratio {whole / alone:.2f} (at most {END}); {equal} of 38 stop records are the authors'"
    )
    good = whole <= END * alone and equal == 38
    try:
        theirs = process("-m", module, "jax")
    except subprocess.CalledProcessError:
        print("JAX is not there: pip install -r requirements-bench.txt")
        return good
    print(f"JAX, run after run: {theirs:.1f} s, {theirs / whole:.1f} times (at least {JAX})")
    return good and theirs >= JAX * whole


def stops(runs: Path, configs: list[Config]) -> int:
    """In how many runs the last record is that of the authors."""
    wanted = published.arrays("ablation_alpha")["compressed_stop_records"]
    steps = [
        Run(runs / config.key).status.step for config in sorted(configs, key=lambda c: c.alpha)
    ]
    return int((np.array(steps) == 100 * np.ravel(wanted)).sum())


def grid() -> bool:
    """20 × 20 values of (r̂, ε)."""
    flags = "--rank-bound 1:39:2 --init-scale 1e-3:0.08:10/decade"
    with tempfile.TemporaryDirectory() as folder:
        seconds = swept(Path(folder), f"{flags} --seeds 1")
        count = len([*Path(folder).glob("????????????????/status.json")])
    print(f"{count} runs of (r̂, ε), d = 100: {seconds:.0f} s (at most {GRID:g})")
    return seconds <= GRID and count == 400


def tiny() -> bool:
    """1,000 runs of 20 × 20."""
    flags = (
        "--rows 20 --cols 20 --rank 2 --observed 0.6 --learning-rate 0.3 --rate-unit limit "
        "--steps 1000 --init-scale 0.1 --alpha 1:5.75:0.25 --rank-bound 2:11:1 --seeds 5"
    )
    with tempfile.TemporaryDirectory() as folder:
        seconds = swept(Path(folder), flags)
        count = len([*Path(folder).glob("????????????????/status.json")])
    print(f"{count} tiny runs: {count / seconds:.0f} a second (at least {TINY:g})")
    return count >= TINY * seconds and count == 1000


def workers() -> bool:
    """The same sweep on one to four workers."""
    dask = str(Path(sys.executable).with_name("dask"))
    found = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    least = 0.0
    for count in range(1, 5):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as ends:
            place = Path(folder) / "scheduler.json"
            for command in (
                ["scheduler", "--port", "0", "--scheduler-file", str(place), "--no-dashboard"],
                ["worker", "--scheduler-file", str(place), "--nworkers", str(count),
                 "--nthreads", "1", "--no-dashboard"],
            ):  # fmt: skip
                started = subprocess.Popen(
                    [dask, *command],
                    env=found,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                ends.callback(started.wait)
                ends.callback(started.terminate)
                until(place.exists, "the scheduler has told its address")
            address = json.loads(place.read_text())["address"]
            with Client(address) as client:
                client.wait_for_workers(count)
            # The first sweep has the workers load torch.
            swept(
                Path(folder) / "first",
                f"--rows 10 --cols 10 --rank 2 --alpha 1,2 --scheduler {address}",
            )
            seconds = swept(Path(folder) / "runs", f"{OF_A_SECOND} --scheduler {address}")
            done = len([*(Path(folder) / "runs").glob("????????????????/status.json")])
        least = least or seconds
        print(f"{count} workers: {done} runs in {seconds:.1f} s, {least / seconds:.2f} times one")
    return True


def main(names: list[str]) -> int:
    """Measure what is named, or all; 1 if a bar is missed."""
    cases = {"alpha": alpha, "grid": grid, "tiny": tiny, "workers": workers}
    return 0 if all([cases[name]() for name in names or cases]) else 1


if __name__ == "__main__":
    hidden = {"batch": batch, "jax": jax}
    if sys.argv[1:] and sys.argv[1] in hidden:
        hidden[sys.argv[1]]()
    else:
        sys.exit(main(sys.argv[1:]))
