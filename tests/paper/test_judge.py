"""Judge: a figure's runs are ordinary runs; its verdict is computed from their records."""

import json
import os
import shutil
import signal
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest
from pypdf import PdfReader

from dynamics.__main__ import main
from dynamics.core import registry, traits
from dynamics.paper import report
from dynamics.paper.check import Check, over_seeds
from dynamics.paper.judge import Judged, judge, kept, kept_verdict
from dynamics.paper.plan import Draw, Plan, about, names
from dynamics.runs import queue
from dynamics.runs.group import Group
from dynamics.runs.run import Run, RunError, listing
from tests.support.make import is_sentence, until

pytestmark = pytest.mark.xdist_group("judge")  # in one process, they share what they set up


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs in which the completion figure is cached."""
    folder = tmp_path_factory.mktemp("figures")
    assert main(["figure", "completion", "--runs", str(folder)]) == 0
    return folder


def test_the_completion_figure_agrees_with_the_authors(
    trained: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Stop records to the record, curves to rounding; asked again, nothing is trained."""
    before = {place: place.stat().st_mtime_ns for place in trained.glob("*/records.f8")}
    page = tmp_path / "figure.html"
    command = ["figure", "completion", "--json", "--runs", str(trained), "--out", str(page)]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "agrees" and len(told["checks"]) == 6
    stops = [each["found"] for each in told["checks"] if each["what"].startswith("last record")]
    assert stops == [158, 46]
    deviations = [each["found"] for each in told["checks"] if each["kind"] == "deviation"]
    assert len(deviations) == 4 and max(deviations) < 1e-10
    assert {place: place.stat().st_mtime_ns for place in trained.glob("*/records.f8")} == before
    assert "plotly" in page.read_text().lower() and 4e5 < page.stat().st_size < 5.5e5


def test_a_figure_is_written_in_the_size_that_is_asked_for(trained: Path, tmp_path: Path) -> None:
    """With what it shows, every setting, N and the paper inside."""
    file = tmp_path / "figure.pdf"
    command = ["figure", "completion", "--runs", str(trained), "--out", str(file)]
    assert main([*command, "--size", "column", "--font", "7"]) == 0
    document = PdfReader(file)
    assert float(document.pages[0].mediabox.width) == pytest.approx(3.25 * 72, abs=0.01)
    told = dict(document.metadata or {})
    for part in (
        "½ mean square over the unobserved entries",
        "fig_traj_mc.ipynb",
        "All 6 published numbers are met",
        "α = 5",
        "N = 1 seed, 1 run.",
        "DLN Explorer, version 1",
    ):
        assert part in told["/Subject"]
    assert told["/Source"] == "python -m dynamics figure completion" and "kwon" in told["/Keywords"]


@pytest.mark.parametrize("harm", ["one number", "one record"])
def test_a_wrong_trajectory_flips_the_verdict(trained: Path, harm: str) -> None:
    """The verdict reads the records: one number off by 10⁻⁶, or one record less, is seen."""
    (config,) = Plan.of("completion").distinct
    run = Run(trained / config.key)
    file, rows = run.folder / "records.f8", run.rows()
    place = run.layout.slices["compressed", "test_loss"]
    harmed = rows.copy() if harm == "one number" else np.delete(rows, 20, axis=0)
    harmed[20, place] *= 1 + 1e-6 * (harm == "one number")
    try:
        file.write_bytes(harmed.astype("<f8").tobytes())
        judged = judge(Plan.of("completion"), trained)
        assert judged.verdict == "differs" and is_sentence(judged.why)
    finally:
        file.write_bytes(rows.astype("<f8").tobytes())
    assert judge(Plan.of("completion"), trained).verdict == "agrees"


def test_a_judgement_is_kept_until_a_file_of_its_runs_changes(
    trained: Path, tmp_path: Path
) -> None:
    """The gallery asks for all verdicts at every rerun, and must not read all records again."""
    plan = Plan.of("completion")
    (config,) = plan.distinct
    run = Run(shutil.copytree(trained / config.key, tmp_path / config.key))
    first: Judged = kept(plan, tmp_path)
    assert kept(plan, tmp_path) is first and kept_verdict(plan, tmp_path) == "agrees"
    rows = run.rows()
    rows[20, run.layout.slices["compressed", "test_loss"]] *= 2
    (run.folder / "records.f8").write_bytes(rows.astype("<f8").tobytes())
    assert kept(plan, tmp_path).verdict == kept_verdict(plan, tmp_path) == "differs"


@pytest.mark.parametrize("name", ["records.f8", "layout.json"])
def test_a_damaged_run_is_told_and_how_to_have_it_trained_again(
    trained: Path, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk that was full, a folder that was copied in part."""
    (config,) = Plan.of("completion").distinct
    run = Run(shutil.copytree(trained / config.key, tmp_path / config.key))
    (run.folder / name).unlink()
    assert main(["figure", "completion", "--runs", str(tmp_path)]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert f"runs delete {config.key}" in last and is_sentence(last)


def test_ctrl_c_ends_all_figures_and_not_one_after_the_other(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def press() -> None:
        until(lambda: listing(folder))
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=press).start()
        status = main(["figure", "all", "--runs", str(folder), "--out", str(tmp_path / "report")])
    finally:
        signal.signal(signal.SIGINT, before)
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert status == 130 and "the same command continues" in last and is_sentence(last)
    begun = [run for run, *_ in listing(folder)]
    assert 1 <= len(begun) <= queue.capacity()
    until(lambda: not any(run.status.live for run in begun))


def test_other_draws_have_no_published_numbers(trained: Path) -> None:
    """Seeds and targets by choice are other runs, and the authors' numbers are not theirs."""
    own, spread, seeds = Draw(), Draw("spread"), Draw(seed=4, seeds=3)
    (theirs,) = Plan.of("completion", own).distinct
    (other,) = Plan.of("completion", spread).distinct
    several = Plan.of("completion", seeds).distinct
    assert (theirs.matrices, other.matrices, other.spectrum) == ("completion", "drawn", "spread")
    assert [each.seed_init for each in several] == [4, 5, 6] == [e.seed_target for e in several]
    assert len({each.key for each in [theirs, other, *several]}) == 5
    assert Group([theirs], trained).progress().complete
    assert not Group(several, trained).progress().step


@pytest.mark.slow
def test_numbers_over_few_seeds_are_medians_with_each_seed_s_number(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of all seeds, not those of the first; how many they are is said."""
    command = ["figure", "completion", "--seeds", "3", "--runs", str(trained)]
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    checks = {each["what"]: each for each in told["checks"]}
    of = Plan.of("completion", Draw(seeds=3)).configs["both"]
    lasts = [len(Run(trained / each.key).trajectories[0].steps) - 1 for each in of]
    assert len(set(lasts)) == 3
    middle = sorted(lasts)[1]
    check = checks["last record, original"]
    assert check["found"] == middle and check["verdict"] == "no number published"
    assert check["quartiles"] is None and check["each"] == lasts
    assert main(command) == 0
    said = capsys.readouterr().out
    assert said.startswith("Medians and each seed, N = 3.") and f"{middle} (" in said


def test_what_half_of_the_seeds_never_reach_has_no_median() -> None:
    def over(*steps: float) -> Check:
        (check,) = over_seeds([[Check("step", step)] for step in steps])
        return check

    never = float("nan")
    assert over(3, 5, 7, never).words == "6 (3, 5, 7, never)"
    assert over(3, never, never).words == "never (3, never, never)"
    assert over(3, 5, 7, 9, never).words == "7 (5 to 9)"
    assert over(3, 4, never, never, never).words == "never (4 to never)"


@pytest.mark.parametrize("name", names())
def test_every_figure_names_its_runs_and_its_source(name: str) -> None:
    """What the page lists: a title, a line, where it was published, and settings that can be."""
    title, line = about(name)
    plan = Plan.of(name)
    assert title and line and plan.source and traits.figure(name).caption
    longest = Group(plan.distinct, Path("nowhere")).seconds_at_most()
    classified = {traits.problem(config.problem).classifies for config in plan.distinct}
    assert plan.distinct and (longest is None if classified == {True} else longest > 0)
    assert callable(registry.load("figures", name).draw)


@pytest.mark.parametrize(
    "flags",
    [
        ["no_such"],
        ["completion", "--seeds", "0"],
        ["completion", "--target", "flat"],
        ["completion", "--seed", "-1"],
        ["completion", "--out", "figure.xlsx"],
        ["completion", "--font", "100"],
        ["completion", "--out", "/dev/null/figure.pdf"],
        ["all", "--out", "/dev/null/report"],
        ["--json"],
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(
    flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is trained."""
    assert main(["figure", *flags, "--runs", str(tmp_path)]) == 2
    assert is_sentence(capsys.readouterr().err.strip()) and not list(tmp_path.iterdir())


def test_the_report_has_every_figure_with_its_verdict(trained: Path, tmp_path: Path) -> None:
    """One page, one PDF, one table; what could not be had is listed with its reason."""
    missing = {"sensing": "It was cancelled."}
    files = report.write([judge(Plan.of("completion"), trained)], missing, tmp_path)
    assert {file.name for file in files} == {
        "report.html",
        "report.pdf",
        "verdicts.json",
        "verdicts.md",
    }
    told = json.loads((tmp_path / "verdicts.json").read_text())
    assert [(each["figure"], each["verdict"]) for each in told] == [("completion", "agrees")]
    page = (tmp_path / "report.html").read_text()
    assert "α = 5; optimizer = gradient descent; t = 25000" in page and "Seeds: target 0" in page
    table = (tmp_path / "verdicts.md").read_text()
    assert "**agrees**" in table and "It was cancelled." in table
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    page = (tmp_path / "report.html").read_text()
    assert page.count("All 6 published numbers are met.") == 2 and "It was cancelled." in page


@pytest.mark.slow
def test_movielens_has_the_published_plateau_and_alternating_least_squares_has_not(
    ratings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["figure", "movielens", "--json", "--runs", str(tmp_path)]) == 1
    told = json.loads(capsys.readouterr().out)
    verdicts = {each["what"]: each["verdict"] for each in told["checks"]}
    assert verdicts["½ mean square at its lowest, compressed"] == "agrees"
    assert verdicts["½ mean square at its lowest, AltMin"] == "differs"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["factorization", "ablation_alpha", "depth", "first_vectors"])
def test_every_notebook_with_shipped_matrices_agrees(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["figure", name, "--json", "--runs", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "agrees"
    assert max(each["found"] for each in told["checks"] if each["kind"] == "deviation") < 1e-8
    assert np.isfinite([each["found"] for each in told["checks"]]).all()


def test_without_a_browser_the_verdict_is_printed_all_the_same(
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What was computed is told before what cannot be drawn."""
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))
    file = tmp_path / "figure.pdf"
    assert main(["figure", "completion", "--runs", str(trained), "--out", str(file)]) == 2
    told = capsys.readouterr()
    assert "completion agrees" in told.out and "apt-get install chromium" in told.err


def test_a_browser_that_never_prints_the_report_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what it has started, and with a sentence."""
    from choreographer.browsers.chromium import Chromium

    hanging = tmp_path / "chromium"
    hanging.write_text(f"#!/bin/sh\nsleep 1000 & echo $! > {tmp_path}/child\nwait\n")
    hanging.chmod(0o755)
    monkeypatch.setattr(Chromium, "find_browser", lambda **_: str(hanging))
    monkeypatch.setattr(report, "PATIENCE", 1.0)
    with pytest.raises(RunError, match="did not answer in time") as refused:
        report._print(tmp_path / "report.html", tmp_path / "report.pdf")
    assert is_sentence(str(refused.value))
    child = int((tmp_path / "child").read_text())
    until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie")
