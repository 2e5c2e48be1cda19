"""Runs that diverge: the program alone writes to its output, and it writes numbers or null."""

import csv
import ctypes
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamics.__main__ import main
from dynamics.core import registry
from dynamics.core.config import Config, ConfigError
from dynamics.engine.training.comparison import prepare
from dynamics.runs.run import Run
from dynamics.runs.writer import Writer
from tests.support.make import watched

ROOT = Path(__file__).parents[2]
PROBLEMS = ("factorization", "completion", "sensing")
NETWORKS = ("original", "compressed", "original_spectral", "narrow_random_alpha", "compressed_even")


def diverging(seed: int) -> dict[str, Any]:
    """Settings that train in an instant; most go far beyond η*, some observe hardly anything."""
    draw = np.random.default_rng(seed)

    def one(*values: Any) -> Any:
        return values[int(draw.integers(len(values)))]

    rows, cols = (int(draw.integers(4, 33)) for _ in range(2))
    rank = int(draw.integers(1, 4))
    settings = {
        "problem": PROBLEMS[seed % 3],
        "rows": rows,
        "cols": one(rows, cols),
        "rank": rank,
        "rank_bound": int(draw.integers(rank, 5)),
        "depth": int(draw.integers(2, 6)),
        "optimizer": [*registry.options("optimizers")][seed // 3 % 4],
        "dtype": one("float64", "float32"),
        "rate_unit": one("limit", "limit", "absolute"),
        "learning_rate": float(10 ** draw.uniform(0.3, 6)),
        "init_scale": float(10 ** draw.uniform(-3, 1)),
        "alpha": one(0.1, 1.0, 5.0, 1000.0),
        "observed": one(1e-9, 0.02, 0.1, 0.5),  # one entry, or rows without any
        "measurements": int(draw.integers(1, 60)),
        "sensing": one("gaussian", "rank-one"),
        "noise": one(0.0, 0.0, 10.0),
        "initialization": one("orthogonal", "normal"),
        "networks": one("original,compressed", ",".join(NETWORKS), NETWORKS[seed % 5]),
        "steps": int(draw.integers(2, 200)),
        "record_every": int(draw.integers(1, 10)),
        "tolerance": 0.0,
        "seed_target": seed,
    }
    try:
        Config.from_dict(settings)
    except ConfigError:
        return diverging(seed + 1_000_000)
    return settings


def trained(settings: dict[str, Any], folder: Path) -> Run:
    """The run's folder, as a worker fills it, filled in this process."""
    config = Config.from_dict(settings)
    run = Run(folder / config.key)
    run.folder.mkdir(parents=True)
    run.write("config.json", config.canonical().to_dict())
    run.write("status.json", {"phase": "diverged"})
    comparison = prepare(config)
    writer = Writer(run, config, comparison)
    for records in comparison:
        if records:
            writer.write(records)
    return run


def commands(run: Run) -> Iterator[tuple[Callable[[str], object], list[str]]]:
    """What is printed of a run: how it is read, and the command."""
    place = [run.key, "--runs", str(run.folder.parent), "--out", "-"]
    yield numbers, ["export", *place, "--format", "csv"]
    yield strict, ["export", *place, "--format", "json"]
    for chart, over in (("losses", "steps"), ("singular_values", "operations")):
        figure = ["--figure", chart, "--over", over, "--format", "tikz"]
        yield picture, ["export", *place, *figure]


def strict(text: str) -> object:
    """JSON as browsers read it."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def numbers(text: str) -> object:
    head, *rows = csv.reader(io.StringIO(text))
    assert rows and all(len(row) == len(head) for row in rows)
    assert head[0] == "network"
    return [[float(number) for number in row[1:] if number] for row in rows]


def picture(text: str) -> None:
    assert "\\begin{tikzpicture}" in text and "On entry" not in text and "oneMKL" not in text


def forecast(settings: dict[str, Any]) -> list[str]:
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    return ["forecast", *flags, "--json"]


def read(capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """All that this process has written, by Python or by a library."""
    ctypes.CDLL(None).fflush(None)
    return capfd.readouterr()


def test_text_of_libraries_would_be_seen(capfd: pytest.CaptureFixture[str]) -> None:
    matrix = np.random.default_rng(0).normal(size=(30, 30))
    matrix[1, 0] = np.inf
    np.linalg.svd(matrix)
    assert "On entry to DLASCL" in "".join(read(capfd))


@pytest.mark.parametrize("seed", range(12))
def test_only_the_program_writes(
    seed: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = diverging(seed)
    run = trained(settings, tmp_path)
    assert read(capfd) == ("", "")
    for check, words in [(strict, forecast(settings)), *commands(run)]:
        status = main(words)
        out, err = read(capfd)
        assert status == 0 and not err, (words, err)
        check(out)


@pytest.mark.slow
def test_what_happens_to_them_is_watched_without_an_error() -> None:
    """Some start beyond the target, and end after a record or two."""
    for seed in range(12, 52):
        watched(Config.from_dict(diverging(seed)))


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_only_the_program_writes_in_fresh_processes(tmp_path: Path) -> None:
    """And the log of a worker is empty."""
    for seed in range(100, 130):  # some ten seconds each
        settings = diverging(seed)
        key = Config.from_dict(settings).key
        words = ["run", *forecast(settings)[1:-1], "--runs", str(tmp_path)]
        ended = fresh(words)
        assert ended.returncode in (0, 1), ended.stderr
        first, *rest = ended.stdout.splitlines()
        assert first == f"Run {key}" and rest
        for text in (ended.stdout, ended.stderr, (tmp_path / key / "log.txt").read_text()):
            assert not [mark for mark in ("entry to", "oneMKL", "Traceback") if mark in text]
        for check, words in [(strict, forecast(settings)), *commands(Run(tmp_path / key))]:
            ended = fresh(words)
            assert ended.returncode == 0 and not ended.stderr, (words, ended.stderr)
            check(ended.stdout)


def fresh(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dynamics", *words],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
