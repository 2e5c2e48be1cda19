"""Export: the numbers of a run in every format, read back by other programs."""

import io
import json
import re
import shutil
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dynamics.__main__ import main
from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.core.records import COUNTERS, Layout, Record
from dynamics.draw.panel import USUAL, of_runs
from dynamics.export import export
from dynamics.export.formats import CHARTS, COMPLETED, DATA, FORMATS, RUNS
from dynamics.export.render import html
from dynamics.export.sweeps import NUMBERS
from dynamics.runs import maps
from dynamics.runs.run import Run, RunError
from tests.support.make import is_sentence, small


def test_csv_opens_in_pandas_with_every_number(finished: Run) -> None:
    """One row for each network and record, to the last digit."""
    table = pd.read_csv(io.BytesIO(export.export(finished, "csv")))
    assert len(table) == 2 * 7 and set(table["network"]) == {"original", "compressed"}
    for trajectory in finished.trajectories:
        rows = table[table["network"] == trajectory.network]
        assert rows["step"].tolist() == trajectory.steps.tolist()
        for counter in COUNTERS:
            assert rows[counter].tolist() == getattr(trajectory, counter).tolist()
        for name, series in trajectory.series.items():
            columns = [c for c in table.columns if c == name or c.startswith(f"{name}.")]
            columns = [c for c in columns if rows[c].notna().any() or np.isnan(series).any()]
            found = rows[columns].to_numpy().reshape(len(rows), -1)
            wanted = series.reshape(len(rows), -1)
            assert np.array_equal(found[:, : wanted.shape[1]], wanted, equal_nan=True), name


def test_csv_numbers_vectors_from_one(finished: Run) -> None:
    """As formulas do: σ_1 is the largest."""
    table = pd.read_csv(io.BytesIO(export.export(finished, "csv")))
    last = table.iloc[6]
    series = finished.trajectories[0].series
    assert last["singular_values.1"] == series["singular_values"][-1, 0]
    assert last["factor_singular_values.3.2"] == series["factor_singular_values"][-1, 2, 1]
    assert "singular_values.0" not in table.columns


def test_npz_has_the_arrays_the_settings_and_the_target_s_values(finished: Run) -> None:
    content = np.load(io.BytesIO(export.export(finished, "npz")), allow_pickle=False)
    assert Config.from_dict(json.loads(str(content["config"]))) == finished.config
    for trajectory in finished.trajectories:
        for counter in ("steps", *COUNTERS):
            stored = content[f"{trajectory.network}_{counter}"]
            assert np.array_equal(stored, getattr(trajectory, counter))
        for name, series in trajectory.series.items():
            stored = content[f"{trajectory.network}_{name}"]
            assert np.array_equal(stored, series, equal_nan=True)
    facts = finished.layout.facts
    assert content["target_singular_values"].tolist() == facts["target_singular_values"]


def test_json_has_the_same_numbers(finished: Run) -> None:
    """A round trip through text loses no digit."""
    content = json.loads(export.export(finished, "json"))
    assert Config.from_dict(content["config"]) == finished.config
    assert content["facts"] == finished.layout.facts
    for trajectory in finished.trajectories:
        found = content["networks"][trajectory.network]
        assert found["steps"] == trajectory.steps.tolist()
        for name, series in trajectory.series.items():
            stored = np.array(found[name], dtype=float)
            assert np.array_equal(stored, series, equal_nan=True), name


def broken(folder: Path) -> Run:
    """A run whose only network has diverged."""
    run = Run(folder / small().key)
    run.folder.mkdir()
    losses = [1.0, np.inf, np.nan]
    records = [
        Record(i, i, i, i, {"train_loss": np.array(x), "v": np.array([x, -x])})
        for i, x in enumerate(losses)
    ]
    layout = Layout.of({"original": records[0]}, {})
    run.write("config.json", small().to_dict())
    run.write("layout.json", layout.to_dict())
    rows = np.array([layout.row({"original": record}) for record in records])
    (run.folder / "records.f8").write_bytes(rows.astype("<f8").tobytes())
    return run


def test_json_of_a_diverged_run_is_json(tmp_path: Path) -> None:
    """JSON knows neither NaN nor infinity; strict parsers refuse Python's own."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    content = json.loads(export.export(broken(tmp_path), "json"), parse_constant=refuse)
    assert content["networks"]["original"]["train_loss"] == [1.0, None, None]
    assert content["networks"]["original"]["v"] == [[1.0, -1.0], [None, None], [None, None]]


def test_csv_of_a_diverged_run_keeps_what_is_not_finite(tmp_path: Path) -> None:
    table = pd.read_csv(io.BytesIO(export.export(broken(tmp_path), "csv")))
    assert table["train_loss"][0] == 1 and np.isinf(table["train_loss"][1])
    assert np.isnan(table["train_loss"][2])


class Page(HTMLParser):
    """What a page would load from elsewhere, and how many charts it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.charts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.sources += [str(named[name]) for name in ("src", "href") if named.get(name)]
        self.charts += "plotly-graph-div" in (named.get("class") or "")


def test_html_stands_alone(finished: Run) -> None:
    """It opens without a network: the library is in it, once, and nothing is fetched."""
    text = export.export(finished, "html").decode()
    page = Page(text)
    shown = [name for name in USUAL if traits.chart(name).needs]
    assert page.sources == [] and page.charts == len(shown) >= 4
    assert finished.key in text and text.count('<script type="text/plain" data-part=') == 1
    assert "rank_bound" in text


def test_a_page_of_a_thousand_records_takes_half_a_megabyte() -> None:
    """Digits of noise, which nothing packs, so that no chart of two such lines takes more."""
    noise = np.random.default_rng(0).random((2, 1001)).round(5).tolist()
    lines = [{"x": list(range(1001)), "y": line, "type": "scatter"} for line in noise]
    page = html.page("Two lines", html.chart({"data": lines}))
    assert len(page.encode()) < 500_000


def test_zip_has_everything_and_opens_in_pandas_in_one_line(
    finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is that of its own README, which has the unit of every column."""
    (tmp_path / f"run-{finished.key}.zip").write_bytes(export.export(finished, "zip"))
    monkeypatch.chdir(tmp_path)
    archive = zipfile.ZipFile(f"run-{finished.key}.zip")
    readme = archive.read("README.md").decode()
    (line,) = (line for line in readme.splitlines() if "pd.read_csv" in line)
    table = eval(line, {"pd": pd, "zipfile": zipfile})
    assert len(table) == 14
    described = re.findall(r"^\| ([\w.]+) \| .+ \| (.*) \|$", readme, re.MULTILINE)
    units = dict(described[1:])
    stems = [re.sub(r"(\.\d+)+$", ".i", column) for column in table.columns]
    assert set(units) == set(stems) and units["left_angles.i"] == "radians"
    assert Config.from_dict(json.loads(archive.read("config.json"))) == finished.config
    stored = np.load(io.BytesIO(archive.read("records.npz")))
    assert stored["original_steps"].tolist() == finished.trajectories[0].steps.tolist()
    assert b"@inproceedings{kwon2024" in archive.read("citation.bib")


def test_heat_maps_are_cells_on_the_command_line(
    finished: Run, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Of the moment that is asked for: what the run's folder has, W − M* from it."""
    place = ["--runs", str(finished.folder.parent), "--out", "-", "--format", "csv"]
    assert main(["export", finished.key, "--figure", "heat_maps", "--at", "25", *place]) == 0
    cells = pd.read_csv(io.BytesIO(capsysbinary.readouterr().out))
    tables = {
        name: each.pivot(index="row", columns="column", values="value").to_numpy()
        for name, each in cells.groupby("map")
    }
    assert len(tables) == 5 and all(table.shape == (10, 14) for table in tables.values())
    stored = np.frombuffer(maps.at(finished, 20, 2), "<f2", offset=8).reshape(2, 10, 14)
    assert tables["original W"] == pytest.approx(stored[0].astype(float), rel=1e-3)
    off = tables["compressed W"] - tables["target M*"]
    assert tables["compressed W − M*"] == pytest.approx(off, abs=1e-3)
    assert main(["export", finished.key, "--figure", "losses", *place]) == 2


def test_zip_has_the_cells_of_every_heat_map_and_says_what_they_are(finished: Run) -> None:
    """One entry a cell here: their distance to the goal is each record's own recovery error."""
    archive = zipfile.ZipFile(io.BytesIO(export.export(finished, "zip")))
    stored = np.load(io.BytesIO(archive.read("records.npz")), allow_pickle=False)
    goal = stored["goal_map"].astype(float)
    for each in finished.trajectories:
        assert stored["map_steps"].tolist() == each.steps.tolist()
        cells = stored[f"{each.network}_map"].astype(float)
        assert cells.shape == (7, 10, 14) and goal.shape == (10, 14)
        found = np.linalg.norm(cells - goal, axis=(1, 2)) / np.linalg.norm(goal)
        assert found == pytest.approx(each.series["recovery_error"], abs=1.2e-3)
    (line,) = (each for each in archive.read("README.md").decode().splitlines() if "map_st" in each)
    said = ("7 moments", "`NETWORK_map` (moments × 10 × 14)", "`goal_map` (10 × 14)", "float16")
    assert all(words in line for words in said)


def test_what_is_kept_of_no_map_or_half_a_goal_is_left_out(finished: Run, tmp_path: Path) -> None:
    """A run of before there were maps is exported like any other; so is one with a cut file."""
    run = Run(shutil.copytree(finished.folder, tmp_path / finished.key))
    (run.folder / "goal.f2").write_bytes(b"123")
    assert not any("map" in name for name in np.load(io.BytesIO(export.export(run, "npz"))))
    shutil.copy(finished.folder / "goal.f2", run.folder)
    content = (run.folder / "maps.f2").read_bytes()
    (run.folder / "maps.f2").write_bytes(content[: len(content) // 7])
    assert "1 moment of them" in maps.described(run)
    (run.folder / "maps.f2").unlink()
    readme = zipfile.ZipFile(io.BytesIO(export.export(run, "zip"))).read("README.md").decode()
    assert "map_steps" not in readme


def test_formats_are_named_when_there_is_no_such_one(finished: Run) -> None:
    with pytest.raises(
        ValueError, match=r"'xlsx' is not one of csv, npz, json, zip, script, notebook, html"
    ) as caught:
        export.export(finished, "xlsx")
    assert is_sentence(str(caught.value))


@pytest.mark.parametrize("form", DATA)
def test_a_run_without_records_is_not_exported(tmp_path: Path, form: str) -> None:
    run = broken(tmp_path)
    (run.folder / "records.f8").write_bytes(b"")
    with pytest.raises(RunError, match="no records yet") as caught:
        export.export(run, form)
    assert is_sentence(str(caught.value))


def test_every_format_of_numbers_is_written_and_every_ending_stands_for_one_format() -> None:
    """A new row of the table needs a writer, and a file's ending must say which row it is."""
    assert set(export.WRITERS) == set(DATA)
    listed = [each for each in FORMATS.values() if each.kind != "matrix"]  # those go by name
    assert len({each.ending for each in listed}) == len(listed)
    assert {*DATA, *CHARTS, *COMPLETED} == set(RUNS) == set(FORMATS) - {"parquet"}
    assert set(NUMBERS) <= set(FORMATS)  # of a sweep


@pytest.mark.parametrize("panel", ["heat_maps/zzz", "singular_values/narrow_random", "nothing"])
def test_a_panel_that_a_run_has_not_is_refused(finished: Run, panel: str) -> None:
    """A name that was mistyped must not draw something else."""
    with pytest.raises(RunError) as refused:
        of_runs([finished], panel)
    assert is_sentence(str(refused.value))


@pytest.mark.parametrize("step", ["nan", "-5", "soon"])
def test_a_moment_is_a_number_from_0_on(step: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["export", "key", "--figure", "heat_maps", "--at", step])
    assert f"a step is a number from 0 on; {step} was given" in capsys.readouterr().err
