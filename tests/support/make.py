"""What several tests share: waiting for processes, small Configs, problems with known losses."""

import contextlib
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from dynamics.core.config import Config
from dynamics.core.records import Array, Layout, Trajectory
from dynamics.engine import draws
from dynamics.engine.losses.entries import Entries
from dynamics.engine.losses.inputs import Correlated
from dynamics.engine.losses.masked import Masked
from dynamics.engine.losses.sums import Dense, RankOne
from dynamics.engine.problem import Recovery
from dynamics.engine.problems import photograph
from dynamics.engine.target import Target
from dynamics.engine.training.comparison import prepare
from dynamics.findings.failures import Failure, Watch
from dynamics.runs.run import Run
from dynamics.runs.start import start

KINDS = ("factorization", "completion", "sensing", "rank-one", "entries", "photograph", "inputs")
# Charts that only a table of named items, a picture or film ratings have.
OF_TABLES = ("item_similarity", "picture", "psnr", "ssim", "stars")
PATIENCE = 200.0  # seconds until what must happen has happened: other tests share the cores
LONG = 100_000_000  # steps: no test waits for them
T = TypeVar("T")
S = TypeVar("S", bound=http.server.HTTPServer)
Loss = Callable[[Tensor], Tensor]


def until(condition: Callable[[], T], what: str = "") -> T:
    """What ``condition`` gives once that is true; fails if it is not within ``PATIENCE``."""
    deadline, tick = time.monotonic() + PATIENCE, threading.Event()
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what or condition}"
        tick.wait(0.01)
    return result


@contextlib.contextmanager
def answering(server: S) -> Iterator[S]:
    """A server that answers until the block is left, also by an error."""
    with server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def small(**changes: Any) -> Config:
    """A config that trains in milliseconds and stops at its last step alone."""
    settings: dict[str, Any] = {
        "rows": 12,
        "cols": 12,
        "rank": 2,
        "rank_bound": 4,
        "init_scale": 0.1,
        "learning_rate": 1.0,
        "alpha": 2.0,
        "measurements": 60,
        "steps": 60,
        "record_every": 10,
        "tolerance": 0.0,
    }
    return Config(**(settings | changes))


def recorded(config: Config) -> list[Trajectory]:
    """What a run of the config leaves behind, trained here and now."""
    comparison = prepare(config)
    records = [each for each in comparison if each]
    layout = Layout.of(records[0], comparison.facts)
    return layout.trajectories(np.array([layout.row(each) for each in records]))


def watched(config: Config) -> tuple[list[Trajectory], list[Failure]]:
    """The same, and the failures that stand in the end."""
    comparison = prepare(config)
    records = [each for each in comparison if each]
    layout, watch = Layout.of(records[0], comparison.facts), Watch(config, comparison.facts)
    found = [watch.see(each) for each in records][-1]
    return layout.trajectories(np.array([layout.row(each) for each in records])), found


def endless(**changes: Any) -> Config:
    """A config whose training has to be ended."""
    return small(**({"steps": LONG, "record_every": 1000, "alpha": 1.0} | changes))


def started(folder: Path, **changes: Any) -> Run:
    """An endless run with some records."""
    run = start(endless(**changes), folder)
    until(lambda: len(run.rows()) > 2)
    return run


def is_sentence(text: str) -> bool:
    """Whether a user can read it: one line that ends like a sentence and is no traceback."""
    return (
        len(text.split()) > 3 and text[-1] in ".?" and not {"\n", "Traceback"} & set(text.split())
    )


def answer_once(listening: socket.socket, answer: bytes) -> None:
    """Answer one request with any bytes, which need not be HTTP."""
    connection, _ = listening.accept()
    with connection:
        connection.recv(2**16)
        connection.sendall(answer)


def gaussian(*shape: int, seed: int = 0) -> Tensor:
    """Reproducible Gaussian numbers in float64."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def relative(found: Tensor, wanted: Tensor) -> float:
    """‖found − wanted‖ / ‖wanted‖."""
    return float((found - wanted).norm() / wanted.norm())


def known(kind: str, rows: int, cols: int) -> tuple[Recovery, Loss, Loss]:
    """A problem of this kind, with its train and its test loss as plain functions of W."""
    target = Target.of(gaussian(rows, 3) @ gaussian(3, cols, seed=1), 3)
    matrix, mask = target.dense, gaussian(rows, cols, seed=4) < 0.4
    if kind == "factorization":
        return (Masked(target), *2 * (half_mean(matrix, torch.ones_like(mask)),))
    if kind in ("sensing", "rank-one"):
        left, right = gaussian(30, rows, seed=2) / 30, gaussian(30, cols, seed=5)
        sensing = gaussian(30, rows, cols, seed=2) / 30
        if kind == "rank-one":
            sensing = torch.stack([torch.outer(a, b) for a, b in zip(left, right, strict=True)])
        seen = torch.stack([(each * matrix).sum() for each in sensing])
        dense, vectors = Dense(target, sensing, seen), RankOne(target, left, right, seen)
        return (
            vectors if kind == "rank-one" else dense,
            lambda w: ((sensing * w).sum((1, 2)) - seen).square().sum() / 2,
            lambda w: ((w - matrix).square().sum() / matrix.square().sum()).sqrt(),
        )
    given = matrix + 0.1 * gaussian(rows, cols, seed=3)
    if kind == "inputs":
        inputs = gaussian(cols, 2 * cols, seed=2) / (2 * cols) ** 0.5
        everywhere = torch.ones_like(mask)
        return (
            Correlated(target, inputs @ inputs.mT, given),
            lambda w: ((w - given) @ inputs).square().sum() / (2 * rows * cols),
            half_mean(matrix, everywhere),
        )
    if kind == "photograph":
        config = Config(problem=kind, rows=rows, cols=cols, rank=3, rank_bound=3, noise=0.1)
        problem = photograph.make(config, torch.empty(0, dtype=torch.float64))
        matrix, mask = problem.target.dense, draws.mask(config)
        given = draws.given(config, problem.target, matrix)
    elif kind == "completion":
        problem = Masked(target, mask, given)
    else:
        parts = [(part.nonzero().mT, given[part]) for part in (mask, ~mask)]
        problem = Entries((rows, cols), *parts, target)
        matrix = given
    return problem, half_mean(given, mask), half_mean(matrix, ~mask)


def half_mean(matrix: Tensor, mask: Tensor) -> Loss:
    """½ mean square of W − matrix over the entries of a mask."""
    return lambda w: (w - matrix)[mask].square().mean() / 2


SIDE = 24


def crossing_run(**changes: object) -> Config:
    """A random start that lies nearer to the second mode: it comes first and is overtaken."""
    start = {"initialization": "normal", "init_scale": 0.3, "seed_init": 1, "steps": 200}
    sizes = {"rows": SIDE, "cols": SIDE, "rank": 4, "rank_bound": 6, "record_every": 2}
    return full(**(start | sizes | {"networks": "original"} | changes))


FIXTURE = [51505, 52238, 54845, 55293, 55624, 57339, 57838, 58910, 58935, 60463]


def trained(config: Config) -> dict[str, dict[str, Array]]:
    """All measurements of both networks, records first."""
    records = [each for each in prepare(config) if each]
    return {
        network: {
            name: np.array([each[network].values[name] for each in records if network in each])
            for name in records[0][network].values
        }
        for network in records[0]
    }


def full(**changes: Any) -> Config:
    """A small factorization with a step well below its limit."""
    return small(
        **({"problem": "factorization", "learning_rate": 0.2, "rate_unit": "limit"} | changes)
    )


def rate_and_goals(config: Config) -> tuple[float, Array]:
    """ηc and the target's singular values."""
    comparison = prepare(config)
    goals = np.array(comparison.facts["target_singular_values"])
    return comparison.learning_rate * comparison.problem.curvature, goals
