"""Speed: steps per second of this program and of what a user would run instead.

Every engine makes the same steps from the same start, and computes both losses after every chunk.
Blocks of all engines alternate, and the median counts. First calls, which compile, are timed
separately.
"""

import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil
import torch

from dynamics.core.config import Config
from dynamics.data import movielens
from dynamics.data.folder import DataError
from dynamics.engine import device
from dynamics.engine.training import comparison
from dynamics.engine.training.comparison import Comparison
from dynamics.peers.rivals import ENGINES, Run

CHUNK = 50  # steps between two records, unless an engine is too slow for so many
BOTH = ("original", "compressed")
NARROW = ("compressed",)
SQUARE: dict[str, Any] = {  # settings of every case, in place of those that a problem suggests
    "problem": "completion", "rows": 100, "cols": 100, "rank": 5, "rank_bound": 10, "depth": 3,
    "spectrum": "top", "observed": 0.3, "learning_rate": 10.0, "alpha": 5.0, "init_scale": 0.01,
}  # fmt: skip
STABLE: dict[str, Any] = {"spectrum": "flat", "learning_rate": 0.1, "rate_unit": "limit"}


@dataclass(frozen=True)
class Case:
    """Settings under a name; ``engines`` leaves out engines that need too much time or memory."""

    name: str
    settings: dict[str, Any]
    networks: tuple[str, ...] = BOTH
    engines: tuple[str, ...] = tuple(ENGINES)
    alphas: tuple[float, ...] = field(default=())  # for many runs, one for each α
    chunk: int = CHUNK  # steps between two records

    def comparisons(self, network: str) -> list[Comparison]:
        """The case's runs, ready to train."""
        settings = SQUARE | self.settings | {"networks": network}
        alphas = self.alphas or (settings["alpha"],)
        return [comparison.prepare(Config.from_dict(settings | {"alpha": a})) for a in alphas]


@dataclass(frozen=True)
class Row:
    """One measured number."""

    case: str
    network: str
    engine: str
    dtype: str
    steps_per_second: float
    repeats: int


REFERENCE = (
    Case("completion_d100_r5_L3", {}),
    Case(
        "completion_d60_r4_L2",
        dict(rows=60, cols=60, rank=4, rank_bound=8, depth=2, observed=0.4, learning_rate=20,
             alpha=2),
    ),
    Case(
        "factorization_d100_r10_L3",
        dict(problem="factorization", rank=10, rank_bound=20, learning_rate=3, alpha=1),
    ),
    Case(
        "sensing_d20_r2_L3",
        dict(problem="sensing", rows=20, cols=20, rank=2, rank_bound=4, measurements=300,
             learning_rate=5, alpha=1),
    ),
)  # fmt: skip
LARGE = dict(rows=1000, cols=1000, **STABLE)
ALPHAS = tuple(0.5 + i / 4 for i in range(38))
FULL = (
    *REFERENCE,
    Case("completion_d100_r5_L3", dict(dtype="float32")),
    Case(
        "movielens",
        dict(problem="movielens", observed=0.8, rank_bound=20, learning_rate=5, alpha=1),
        NARROW,
    ),
    Case("ablation_alpha", dict(observed=0.2), NARROW, alphas=ALPHAS),
    Case(
        "sensing_d200_r5_L3_m4000",
        dict(problem="sensing", rows=200, cols=200, measurements=4000, learning_rate=20, alpha=1),
        NARROW,
        chunk=2,
    ),
    *(Case(f"completion_d{d}", dict(rows=d, cols=d, **STABLE)) for d in (30, 300)),
    Case("completion_d1000", LARGE, chunk=2),
    *(Case(f"completion_L{depth}", dict(depth=depth, **STABLE)) for depth in (2, 5, 8)),
    *(Case(f"completion_rank_bound{r}", dict(rank_bound=r, **STABLE), NARROW) for r in (5, 20, 40)),
    *(Case(f"completion_d1000_p{p}", dict(observed=p, **LARGE), NARROW) for p in (0.01, 0.05, 0.2)),
    Case(
        "completion_d5000_p0.01",
        dict(rows=5000, cols=5000, observed=0.01, **STABLE),
        NARROW,
        ("dynamics", "jax"),
        chunk=10,
    ),
    Case(
        "completion_d20000_p0.001",
        dict(rows=20_000, cols=20_000, observed=0.001, **STABLE),
        NARROW,
        ("dynamics",),
    ),
)  # fmt: skip


def bench(*, quick: bool = False, only: str = "") -> Iterator[tuple[Row, float]]:
    """Measure all cases, or those with ``only`` in their names.

    Yields each row with the seconds of its first call, which include compiling.
    """
    engines = tuple(name for name in ENGINES if name != "jax" or _installed("jax"))
    block, repeats = (0.08, 3) if quick else (0.4, 5)
    for case in REFERENCE if quick else FULL:
        if only not in case.name or _unavailable(case):
            continue
        for network in case.networks:
            available = [name for name in case.engines if name in engines]
            yield from _measured(case, network, available, block, repeats)


def _measured(
    case: Case, network: str, engines: list[str], block: float, repeats: int
) -> Iterator[tuple[Row, float]]:
    comparisons = case.comparisons(network)
    device.use_threads()
    runs = _runs(comparisons, network, engines)
    first = {}
    counts = {}
    for name, of_engine in runs.items():
        first[name] = _time(of_engine, case.chunk, 1)
        once = _time(of_engine, case.chunk, 1)
        counts[name] = max(1, int(block / once))
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, of_engine in runs.items():
            seconds[name].append(_time(of_engine, case.chunk, counts[name]) / counts[name])
    dtype = comparisons[0].config.dtype
    for name in runs:
        speed = case.chunk * len(comparisons) / statistics.median(seconds[name])
        case_name, engine = case.name, name
        # This program without a compiler is no separate engine: its rows are a case of their own.
        if name == "uncompiled":
            case_name, engine = f"{case.name}_uncompiled", "dynamics"
        yield Row(case_name, network, engine, dtype, round(speed, 3), repeats), first[name]


def _runs(comparisons: list[Comparison], network: str, engines: list[str]) -> dict[str, list[Run]]:
    """One run per comparison for each engine, without engines that have none."""
    runs = {}
    for name in engines:
        made = [ENGINES[name](comparison, network) for comparison in comparisons]
        if any(made):
            runs[name] = [run for run in made if run is not None]
    return runs


def _time(runs: list[Run], chunk: int, chunks: int) -> float:
    """Returns the seconds that all runs, spread over the cores, take for ``chunks`` chunks each."""
    started = time.perf_counter()
    if len(runs) == 1:
        _train(runs[0], chunk, chunks)
    else:
        with ThreadPoolExecutor(psutil.cpu_count(), "runs", torch.set_num_threads, (1,)) as pool:
            list(pool.map(lambda run: _train(run, chunk, chunks), runs))
    return time.perf_counter() - started


def _train(run: Run, chunk: int, chunks: int) -> None:
    for _ in range(chunks):
        run(chunk)


def _installed(name: str) -> bool:
    found = importlib.util.find_spec(name) is not None
    if not found:
        _note(f"{name} is not installed and left out; requirements-bench.txt installs it.")
    return found


def _unavailable(case: Case) -> bool:
    """Whether a case's data are missing; if so, prints a note."""
    if case.name != "movielens":
        return False
    try:
        movielens.movielens()
    except DataError as error:
        _note(f"movielens is left out: {error}")
        return True
    return False


def _note(words: str) -> None:
    print(f"dynamics: {words}", file=sys.stderr)


def measured_on() -> dict[str, Any]:
    """The machine on which the speed is measured."""
    return {
        "processor": device.processor(),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load": round(psutil.getloadavg()[0], 2),
        "torch": torch.__version__,
    }


def run(*, quick: bool, as_json: bool, only: str) -> int:
    """Print each row when it is measured, or JSON at the end; returns the exit status."""
    about = measured_on()
    rows = []
    if not as_json:
        print(", ".join(f"{name} {value}" for name, value in about.items()))
        print(f"{'case':34}{'network':12}{'engine':12}{'dtype':9}{'steps/s':>11}{'first s':>9}")
    for row, first in bench(quick=quick, only=only):
        rows.append(asdict(row))
        if not as_json:
            speed = f"{row.steps_per_second:,.1f}"
            print(
                f"{row.case:34}{row.network:12}{row.engine:12}{row.dtype:9}{speed:>11}{first:9.2f}"
            )
    if as_json:
        print(json.dumps({"machine": about, "rows": rows}, indent=1))
    return 0
