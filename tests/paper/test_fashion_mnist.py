"""The figure on clothes: end accuracies and ratios of times beside those of the authors."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest

from dynamics.__main__ import main
from dynamics.core import description
from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.data import fashion_mnist as data
from dynamics.paper.check import Check, verdict
from dynamics.paper.figure import Found, all_checks
from dynamics.paper.figures import fashion_mnist as figure
from dynamics.paper.plan import Plan
from tests.support.make import is_sentence, recorded

TINY = {"problem": "digits", "features": 16, "batch": 64, "steps": 40, "record_every": 4}


@pytest.fixture(scope="module")
def tiny() -> dict[str, Trajectory]:
    """The same networks on digits, in a tenth of a second."""
    config = Config.from_dict(figure.CONFIGS[figure.RUN] | TINY)
    return {each.network: each for each in recorded(config)}


def ended(of: dict[str, Trajectory], lower: float = 0.0, slower: float = 1.0) -> Found:
    """Runs with the authors' ends; the compressed one less accurate, or slower, than theirs."""
    ends = {}
    for network, each in of.items():
        told = figure.PUBLISHED[f"{network}_accuracy"]
        total = figure.PUBLISHED[f"{network}_seconds"]
        if network == "narrow_random":
            told, total = told - lower, total * slower
        series = dict(each.series) | {"accuracy": np.full(len(each.steps), told)}
        seconds = np.linspace(0, total, len(each.steps))
        ends[network] = dataclasses.replace(each, series=series, seconds=seconds)
    return Found({figure.RUN: [ends]})


def checks(found: Found) -> dict[str, Check]:
    return {check.what: check for check in all_checks(figure, found)}


def test_numbers_are_those_of_the_records(tiny: dict[str, Trajectory]) -> None:
    """The mean of the last records; ratios of the seconds; operations that follow the widths."""
    found = checks(Found({figure.RUN: [tiny]}))
    for network, label in figure.LABELS.items():
        check = found[f"held-out accuracy, mean of the last 7 records, {label}"]
        assert check.found == pytest.approx(tiny[network].series["accuracy"][-7:].mean(), abs=1e-4)
        assert check.published == figure.PUBLISHED[f"{network}_accuracy"]
    ratio = found["training time, DLN ÷ MLP"]
    assert ratio.found == tiny["original"].seconds[-1] / tiny["plain"].seconds[-1]
    assert ratio.published == pytest.approx(1.71, abs=0.005)
    published = [check for check in found.values() if check.published is not None]
    assert len(published) == 6 and len(found) == 12
    assert all(is_sentence(f"{check.why}.") for check in published if check.why)


@pytest.mark.parametrize(
    ("lower", "slower", "told"),
    [(0, 1, "agrees"), (0.009, 1.1, "agrees"), (0.011, 1, "differs"), (0, 1.3, "differs")],
)
def test_one_end_that_is_elsewhere_flips_the_verdict(
    tiny: dict[str, Trajectory], lower: float, slower: float, told: str
) -> None:
    assert verdict(all_checks(figure, ended(tiny, lower, slower))) == told


def test_caption_names_the_data_set_as_it_is_written() -> None:
    (config,) = Plan.of("fashion_mnist").distinct
    told = description.settings([config])
    assert told.startswith("FashionMNIST, 10 classes, ")
    assert "backbone = layer; place of the factors = hidden; " in told


@pytest.mark.parametrize("seeds", [1, 5])
def test_panels_end_where_the_authors_do(tiny: dict[str, Trajectory], seeds: int) -> None:
    """Circles on the ends of curves that are the authors', over steps and over relative time."""
    (of,) = ended(tiny).runs[figure.RUN]
    steps, times = figure.draw(Found({figure.RUN: [of] * seeds}))
    for panel in (steps, times):
        circles = {trace.marker.color: trace for trace in panel.data if trace.mode == "markers"}
        lines = [trace for trace in panel.data if trace.mode == "lines" and trace.name]
        assert len(circles) == len(lines) == 3
        for line in lines:
            circle = circles[line.line.color]
            assert line.x[-1] == pytest.approx(circle.x[0])
            assert line.y[-1] == pytest.approx(circle.y[0])
    assert max(trace.x[0] for trace in times.data if trace.mode == "markers") > 1.7


@pytest.mark.usefixtures("no_network")
@pytest.mark.skipif(data.DEBIAN.exists(), reason="the data set is installed")
def test_without_the_data_the_figure_ends_in_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["figure", "fashion_mnist", "--runs", str(folder)]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert is_sentence(last) and "FashionMNIST" in last and "DLN_DATA" in last


@pytest.mark.slow
def test_clothes_are_told_apart_as_well_as_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The claim that holds: as accurate, and cheaper, in time as in operations."""
    if not all(map(data._path, data.FILES)):
        monkeypatch.setenv("DLN_DATA", os.environ.get("DLN_SHARED", "") + "/data")
    if not all(map(data._path, data.FILES)):
        pytest.skip("FashionMNIST is neither installed nor in a folder that DLN_DATA names")
    assert main(["figure", "fashion_mnist", "--json", "--runs", str(tmp_path)]) in (0, 1)
    told = {each["what"]: each for each in json.loads(capsys.readouterr().out)["checks"]}
    for what, each in told.items():
        if what.startswith("held-out accuracy"):
            assert each["found"] == pytest.approx(each["published"], abs=0.02)
    assert told["operations, DLN ÷ C-DLN"]["found"] > 1.5
    assert told["operations, C-DLN ÷ MLP"]["found"] < 1
