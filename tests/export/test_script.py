"""Script: a run trained again by a program that knows nothing of this one."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from dynamics.core import registry, traits
from dynamics.core.config import Config
from dynamics.core.records import Layout
from dynamics.engine.training import twin
from dynamics.engine.training.comparison import prepare
from dynamics.export import export
from dynamics.export.script import MATRICES, refusal, script
from dynamics.findings.rounding import Parting
from dynamics.runs.run import Run, RunError
from tests.support.make import is_sentence, small

REDUCED = ("compressed_reduced", "original_reduced")
NETWORKS = [
    name
    for name in registry.options("networks")
    if name not in REDUCED and not traits.network(name).classifies
]


def kept(config: Config, folder: Path) -> Run:
    """What a worker leaves behind of a run, trained here and now."""
    comparison = prepare(config)
    records = [each for each in comparison if each]
    layout = Layout.of(records[0], comparison.facts)
    run = Run(folder / config.key)
    run.folder.mkdir()
    run.write("config.json", config.to_dict())
    run.write("layout.json", layout.to_dict())
    rows = np.array([layout.row(each) for each in records])
    (run.folder / "records.f8").write_bytes(rows.astype("<f8").tobytes())
    return run


def alone(text: str, folder: Path, data: str = "") -> subprocess.CompletedProcess[str]:
    """The program in a fresh interpreter that finds neither this project nor its settings."""
    (folder / "again.py").write_text(text)
    return subprocess.run(
        [sys.executable, "-I", "again.py"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "DLN_DATA": data},
        capture_output=True,
        text=True,
        check=False,
    )


def test_program_stands_alone_agrees_and_fails_when_the_run_was_another(tmp_path: Path) -> None:
    """torch and NumPy are all that it imports; one seed changed, and the numbers are others."""
    text = script(kept(small(noise=0.02, cols=15), tmp_path))
    tree = ast.walk(ast.parse(text))
    modules = {n.name for node in tree if isinstance(node, ast.Import) for n in node.names}
    assert modules <= {"torch", "numpy", *sys.stdlib_module_names}
    done = alone(text, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("Everything agrees.\n") and "step 60 of 60" in done.stdout
    other = text.replace("'seed_target': 0", "'seed_target': 1")
    assert other != text
    done = alone(other, tmp_path)
    assert done.returncode == 1 and "DIFFERS from" in done.stdout


PUBLISHED = {"rows": 100, "cols": 100, "rank": 5, "rank_bound": 10, "init_scale": 0.5,
             "steps": 30, "learning_rate": 100.0}  # fmt: skip
CASES: dict[str, dict[str, Any]] = {
    "every network": {"networks": NETWORKS, "noise": 0.01, "equal": "margin", "cols": 14},
    "reductions": {"networks": REDUCED, "problem": "factorization", "depth": 4},
    "validation part": {"validation": 0.2, "noise": 0.1, "observed": 0.7},
    "adam": {"problem": "sensing", "optimizer": "adam", "learning_rate": 0.01, "depth": 2},
    "rmsprop": {"problem": "sensing", "sensing": "rank-one", "optimizer": "rmsprop",
                "learning_rate": 0.002, "noise": 0.05},
    "photograph": {"problem": "photograph", "optimizer": "momentum", "initialization": "normal",
                   "observed": 0.6, "learning_rate": 0.5},
    "table": {"problem": "semantic", "rank": 3, "noise": 0.1, "width": 12},
    "correlated inputs": {"problem": "semantic", "rank": 8, "input_correlation": 0.6,
                          "rank_bound": 8, "networks": "original,compressed"},
    "float32": {"dtype": "float32", "spectrum": "spread", "initialization": "uniform"},
    "wide": {"networks": "original,original_spectral", "width": 16, "spectrum": "flat",
             "problem": "factorization", "noise": 0.1, "rate_unit": "limit"},
    "changes": {"changes": "20:alpha=3,learning_rate=0.5;40:alpha_original=2", "equal": "margin"},
    "diverged": {"learning_rate": 1e4, "init_scale": 1.0},
    "cut": {"changes": "20:alpha=3;40:compress", "learning_rate": 2.0, "init_scale": 0.5},
    "cut and adam": {"changes": "31:compress", "optimizer": "adam", "learning_rate": 0.01,
                     "depth": 4},
    "never cut": {"changes": "40:compress", "tolerance": 0.1, "init_scale": 0.5,
                  "learning_rate": 2.0},
    **{f"published {name}": PUBLISHED | {"matrices": name, **more} for name, more in {
        "completion": {"observed": 0.3},
        "factorization": {"problem": "factorization", "rank": 10},
        "depth": {"observed": 0.3, "rank": 10, "depth": 2, "learning_rate": 1.0,
                  "changes": "20:compress"},
        "first_vectors": {"problem": "factorization", "rank": 10, "networks": "original"},
    }.items()},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_run_is_repeated(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All problems, networks, optimizers and starts: two programs, one result."""
    run = kept(small(**CASES[name]), tmp_path)
    again: dict[str, Any] = {"__name__": "again"}
    exec(script(run), again)
    again["main"]()
    said = capsys.readouterr().out
    assert "Everything agrees" in said and "rounding decides" not in said
    ran = run.config.networks[:1] if name == "never cut" else run.config.networks
    assert tuple(again["FINAL"]) == ran
    assert all(f"{network} train_loss: " in said for network in ran)
    assert all(value["step"] > again["NETWORKS"][n]["at"] for n, value in again["FINAL"].items())


AMPLIFYING: dict[str, dict[str, Any]] = {
    "adam": {"optimizer": "adam", "learning_rate": 0.01, "steps": 600},
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.002, "steps": 600},
    "beyond the limit": {"rate_unit": "limit", "learning_rate": 1.3, "steps": 600},
}


@pytest.mark.parametrize("name", AMPLIFYING)
def test_a_run_that_amplifies_rounding_is_compared_up_to_where_it_decides(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The twin finds the step; with no twin the last record would differ."""
    run = kept(small(problem="factorization", **AMPLIFYING[name]), tmp_path)
    again: dict[str, Any] = {"__name__": "again"}
    exec(script(run), again)
    again["main"]()
    said = capsys.readouterr().out
    assert "compressed: numbers are reproducible to 1e-0" in said
    assert "rounding decides" in said.splitlines()[-1] and "Everything agrees" not in said
    again["EARLIER"]["compressed"][0]["train_loss"] *= 1 + 1e-5
    with pytest.raises(AssertionError, match="cannot be repeated"):
        again["main"]()


def repeated(seed: int, folder: Path) -> None:
    """Train a random run; its script agrees up to where its twin parts.

    It agrees as well wherever the run itself says that its numbers are reproducible.
    """
    draw = np.random.default_rng(seed)
    config = small(
        problem=draw.choice(["factorization", "completion", "sensing"]).item(),
        optimizer=draw.choice(["gradient_descent", "momentum", "adam", "rmsprop"]).item(),
        learning_rate=float(10 ** draw.uniform(-3, -1)),
        init_scale=float(10 ** draw.uniform(-2, 0)),
        depth=int(draw.integers(2, 5)),
        noise=float(draw.choice([0, 0.05])),
        seed_init=seed,
        steps=400,
    )
    again: dict[str, Any] = {"__name__": "again"}
    folder = folder / str(seed)
    folder.mkdir()
    run = kept(config, folder)
    exec(script(run), again)
    again["main"]()
    truth = again["target"]()
    problem = again["Sums" if config.problem == "sensing" else "Entries"](truth)
    recorded = {each.network: each for each in run.trajectories}
    for name, found in twin.compared(config, recorded).items():
        end = Parting.of(config, name, *found).until
        records = [*again["EARLIER"][name], again["FINAL"][name]]
        factors = again["trained"](name, problem, [record["step"] for record in records])
        for record, each in zip(records, factors, strict=True):
            if end is None or record["step"] <= end:
                values = again["measured"](again["product"](each), problem, truth, config.rank)
                off = again["differing"](values, record, records[0], again["TOLERANCE"])
                assert not off, (seed, name, record["step"], off)


@pytest.mark.slow
def test_random_runs_agree_wherever_their_twins_do(tmp_path: Path) -> None:
    for seed in range(12):
        repeated(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_hundred_random_runs_agree_wherever_their_twins_do(tmp_path: Path) -> None:
    for seed in range(12, 212):
        repeated(seed, tmp_path)


def test_the_last_line_says_how_much_was_compared() -> None:
    again: dict[str, Any] = {"__name__": "again"}
    exec(MATRICES.read_text(), again)
    again["NETWORKS"] = {"compressed": {"at": 20}, "original": {"at": 0}}
    for compressed, original, words in (
        (None, None, "Everything agrees."),
        (1200, 1200, "agrees up to step 1,200; beyond it"),
        (1200, None, "compared agrees (compressed up to step 1,200); beyond it"),
        (20, 50, "(compressed up to step 20, original up to step 50)"),
        (20, 0, "Only the start was compared: rounding decides this run from its first record"),
        (-1, -1, "Nothing was compared"),
        (-1, None, "(compressed at no record)"),
    ):
        assert words in again["conclusion"]({"compressed": compressed, "original": original})


@pytest.mark.parametrize("change", ["seed_data", "seed_noise", "seed_init", "init_scale"])
def test_what_was_drawn_or_set_otherwise_does_not_agree(change: str, tmp_path: Path) -> None:
    """The check is one: whatever of these the program drew alike, the numbers would differ."""
    again: dict[str, Any] = {"__name__": "again"}
    exec(script(kept(small(noise=0.02), tmp_path)), again)
    again["SETTINGS"][change] += 1
    with pytest.raises(AssertionError, match="cannot be repeated"):
        again["main"]()


def test_published_matrices_are_in_the_program_and_what_is_cut_is_cut_there(
    tmp_path: Path,
) -> None:
    """Alone it agrees; cut a step later it would not."""
    config = small(**CASES["published depth"])
    text = script(kept(config, tmp_path))
    assert 300_000 < len(text) < 1_000_000 and max(map(len, text.splitlines())) < 120
    done = alone(text, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    done = alone(text.replace("'at': 20", "'at': 21"), tmp_path)
    assert done.returncode == 1 and "compressed train_loss" in done.stdout
    assert "original train_loss: " in done.stdout and "original DIFFERS" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("problem", ["movielens", "films"])
def test_ratings_are_read_from_where_they_are_and_never_passed_on(
    problem: str, ratings: Path, tmp_path: Path
) -> None:
    config = Config.from_dict({"problem": problem, "steps": 3, "record_every": 1})
    text = script(kept(config, tmp_path))
    assert len(text) < 30_000
    done = alone(text, tmp_path, str(ratings.parent))
    assert done.returncode == 0, done.stdout + done.stderr
    done = alone(text.replace("~/.cache", "/nowhere"), tmp_path)
    assert done.returncode == 1 and is_sentence(done.stderr.strip())


def test_notebook_is_one_and_its_cells_are_the_program(tmp_path: Path) -> None:
    """Run from the top, cell by cell, it says that everything agrees."""
    run = kept(small(), tmp_path)
    book = nbformat.reads(export.export(run, "notebook").decode(), as_version=4)
    nbformat.validate(book)
    again: dict[str, Any] = {"__name__": "__main__"}
    cells = [cell.source for cell in book.cells if cell.cell_type == "code"]
    assert len(cells) >= 4 and run.key in book.cells[0].source
    for cell in cells:
        exec(cell, again)


def test_what_a_program_cannot_repeat_is_said(tmp_path: Path) -> None:
    run = kept(small(problem="sensing", steps=1, record_every=1), tmp_path)
    plain = run.config.to_dict()
    for more, what in (
        ({"rows": 600, "cols": 600, "measurements": 1000}, "measurements"),
        ({"problem": "completion", "rows": 20_000, "cols": 20_000}, "matrices"),
    ):
        run.write("config.json", plain | more)
        with pytest.raises(RunError, match=f"keeps whole {what}") as caught:
            script(run)
        assert is_sentence(str(caught.value)) and refusal(run) == str(caught.value)
    run.write("config.json", plain | {"rows": 200, "cols": 200, "measurements": 4000})
    assert not refusal(run)  # the paper's own sensing
    (run.folder / "records.f8").write_bytes(b"")
    with pytest.raises(RunError, match="no records yet"):
        script(run)


def test_every_setting_is_repeated_or_known_to_decide_nothing() -> None:
    """A new setting must be taken in here, or a run with it is refused."""
    from dynamics.core.config import SETTINGS
    from dynamics.export.script import FOLDED, KEPT

    assert not set(KEPT) & set(FOLDED)
    assert set(KEPT) | set(FOLDED) <= set(SETTINGS)
