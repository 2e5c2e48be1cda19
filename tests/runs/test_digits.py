"""Digits end to end: the command line, a worker, pauses, checkpoints and what cannot be asked."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamics.__main__ import main
from dynamics.commands.printed import summary
from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.core.records import COUNTERS
from dynamics.engine.training.comparison import prepare
from dynamics.export import tables
from dynamics.export.chart import of_runs
from dynamics.runs.checkpoints import Checkpoints, resume, steps
from dynamics.runs.run import PAUSE, RUN, Run, RunError, listing
from dynamics.runs.start import start
from tests.engine.test_digits import HEADS, config
from tests.support.make import is_sentence, until, watched


def timeless(run: Run) -> Any:
    """A run's rows without its seconds."""
    rows = run.rows().copy()
    for (_, name), place in run.layout.slices.items():
        if name in COUNTERS[:2]:
            rows[:, place] = 0
    return rows


@pytest.mark.slow
def test_a_pause_and_a_lost_worker_change_no_number(folder: Path, tmp_path: Path) -> None:
    """Bit for bit in float64: paused and resumed; and from a checkpoint, after the rest is lost."""
    made = config(steps=400, record_every=10, backbone="mlp", optimizer="adam", learning_rate=0.003)
    run = start(made, folder)
    until(lambda: len(run.rows()) > 2)
    run.ask(PAUSE)
    until(lambda: run.status.phase == "paused" or not run.status.live)
    paused = len(run.rows())
    run.ask(RUN)
    until(lambda: not run.status.live)
    assert run.status.phase == "done" and 2 < paused <= 41
    whole = timeless(run)
    comparison = prepare(made)
    wanted = [comparison_row for comparison_row in comparison if comparison_row]
    assert len(whole) == len(wanted) == 41
    for row, records in zip(whole, wanted, strict=True):
        for name in HEADS:
            place = run.layout.slices[name, "train_loss"]
            assert float(row[place][0]) == float(records[name].values["train_loss"])
    for file in steps(run.folder / "checkpoints"):
        file.unlink()
    Checkpoints(run).keep(wanted[17])
    since, before = resume(run, made)
    assert len(before) == 17 and set(since) == set(HEADS)
    again = [each for each in prepare(made).resumed(since) if each]
    for one, other in zip(again, wanted[17:], strict=True):
        for name in HEADS:
            for measured, value in other[name].values.items():
                assert np.array_equal(one[name].values[measured], value, equal_nan=True), measured


def test_the_command_line_trains_exports_and_refuses_what_needs_a_matrix(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = ["--runs", str(folder)]
    words = ["--problem", "digits", "--features", "16", "--steps", "100", "--init-scale", "1"]
    assert main(["run", *words, *runs]) == 0
    printed = capsys.readouterr().out
    for name in HEADS:
        assert f"{name}: accuracy 0." in printed
    assert "on held-out images is" in printed and "As one matrix" in printed
    assert "root mean square" not in printed
    assert "Whether rounding decides this run was not checked; its script does that." in printed
    (run, stored, status) = listing(folder)[0]
    assert isinstance(stored, Config) and status.phase == "done" and stored.batch == 64
    out = folder / "accuracy.csv"
    assert main(["export", run.key, *runs, "--out", str(out)]) == 0
    assert "accuracy" in out.read_text(encoding="utf-8").splitlines()[0].split(",")
    capsys.readouterr()
    for more in (["--out", "x.gif"], ["--level", "stop"], ["--level", "2"], ["--seeds", "0"]):
        assert main(["attribution", *words, *runs, *more]) == 2
        assert is_sentence(capsys.readouterr().err.strip())
    split = ["attribution", *words, *runs, "--record-every", "5", "--seeds", "1"]
    file = folder / "causes.tex"
    assert main([*split, "--out", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "wide head as one matrix" in printed and "the same steps, but for rounding" in printed
    assert "There is no gain over the plain layer" in printed
    code = file.read_text(encoding="utf-8")
    assert "against the plain layer" in code and "Cost without it" in code
    assert "attribution --problem digits" in " ".join(code.split())
    assert main([*split, "--level", "0.3", "--json"]) == 0  # nothing is trained twice
    told = json.loads(capsys.readouterr().out)
    assert told["accuracy"] == 0.3 and told["causes"]["against the plain layer"]["from"] == "plain"


def test_a_network_that_diverged_has_no_accuracy() -> None:
    trajectories, _ = watched(config(learning_rate=500.0, optimizer="gradient_descent"))
    lines = summary(trajectories).splitlines()
    assert len(lines) == len(HEADS) and "nan" not in " ".join(lines)
    assert "compressed: no accuracy, as its numbers are not finite" in lines


def test_files_say_nothing_of_a_matrix_to_find(folder: Path) -> None:
    made = config(steps=20, record_every=10)
    run = start(made, folder)
    until(lambda: not run.status.live)
    assert run.status.phase == "done"
    facts = {"test_loss", "learning_rate", "classes", "shown_labels", "backbone_weights"}
    facts |= {"gradient_singular_values", "gradient_class_vectors"}
    facts |= {"gradient_moments", "start_overlaps", "backbone_kernel"}
    assert set(run.layout.facts) == facts
    texts = [tables.readme([run], "run")]
    refused: list[str] = []
    for name in registry.options("charts"):
        try:
            chart = of_runs([run], name)
        except RunError as error:  # it needs a target
            refused.append(str(error))
            continue
        texts += [str(chart.figure), chart.about.caption]
    assert all(map(is_sentence, refused)) and len(refused) < len(texts) + 3
    told = " ".join(texts).replace("if it is known, of M*", "")
    assert "held-out" in told and "cross-entropy" in told
    for word in ("recovery error of", "authors", "M*", "observed", "½"):
        assert word not in told, (word, told[max(0, told.find(word) - 200) :][:400])
