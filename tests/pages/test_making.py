"""Making: each file that a page offers is made by a process and sent from the disk."""

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from email.message import Message
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

from dynamics.core.machine.files import environment
from dynamics.export import export
from dynamics.export.chart import Asked, of_runs, outline
from dynamics.export.formats import DATA
from dynamics.export.layout.sizes import Print
from dynamics.export.picture import picture
from dynamics.runs.run import Run
from pages.shared.files import dialog, making, media
from pages.shared.files.making import Job
from pages.shared.files.process import ROOT
from tests.pages.test_damaged_runs import garble
from tests.pages.test_routes import answer_of, asked
from tests.support.make import is_sentence


@pytest.fixture(autouse=True)
def runs(finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a finished run, which a test may damage."""
    shutil.copytree(finished.folder, tmp_path / "runs" / finished.key)
    monkeypatch.setenv("DLN_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def make(job: Job, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pages.shared.files.making", file],
        check=False, cwd=ROOT, env=environment(), input=json.dumps(job), text=True,
        capture_output=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("form", [name for name in DATA if name not in ("zip", "html")])
def test_a_process_makes_what_the_command_line_makes(
    form: str, finished: Run, tmp_path: Path
) -> None:
    assert make(making.numbers([finished.key], form), tmp_path / "file").returncode == 0
    assert (tmp_path / "file").read_bytes() == export.export(finished, form)


def test_a_series_of_several_runs_has_a_name_for_each(finished: Run, tmp_path: Path) -> None:
    job = making.series({finished.key: "seed 0"}, "train_loss")
    assert make(job, tmp_path / "file").returncode == 0
    table = pd.read_csv(tmp_path / "file")
    assert list(table) == ["network", "step", "seconds", "operations", "train_loss", "run"]
    assert set(table["run"]) == {"seed 0"}
    for each in finished.trajectories:
        rows = table[table["network"] == each.network]
        assert rows["train_loss"].tolist() == each.series["train_loss"].tolist()


def test_a_refusal_is_one_sentence(finished: Run, runs: Path, tmp_path: Path) -> None:
    garble(Run(runs / finished.key))
    jobs = [
        making.numbers([finished.key], "csv"),
        making.numbers([finished.key], "zip", "all"),
        making.numbers(["0" * 16], "csv"),
        making.completion(finished.key, "completed"),
        making.sweep("0" * 16, "csv"),
        making.figure("depth", {}, "json"),
    ]
    for job in jobs:
        ended = make(job, tmp_path / "file")
        assert ended.returncode == 2, job
        assert is_sentence(ended.stderr.strip()), ended.stderr


@pytest.mark.parametrize("panel", ["losses", "singular_values/compressed", "heat_maps"])
def test_the_process_of_a_chart_reads_its_run(panel: str, finished: Run, tmp_path: Path) -> None:
    """As the viewer sees it: the page itself knows its words and the types of its traces."""
    view = (
        {"at": 20, "log": True} if panel == "heat_maps" else {"log": True, "held": {"x": [0, 30]}}
    )
    asked = Asked([str(finished.folder)], panel, view=view)
    drawn = of_runs([finished], panel, view=view)
    job = {"form": "tikz", "asked": asdict(asked), "print": asdict(Print())}
    ended = subprocess.run(
        [sys.executable, "-m", "dynamics.export.picture", tmp_path / "chart.tikz"],
        check=False, cwd=ROOT, input=json.dumps(job), text=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "chart.tikz").read_bytes() == picture(drawn, "tikz", Print())
    told = outline([finished], panel, dialog._types([finished], panel, "steps"))
    assert (told.about, told.run, told.panel) == (drawn.about, drawn.run, drawn.panel)
    types = {trace.get("type", "scatter") for trace in drawn.figure["data"]}
    assert {trace["type"] for trace in told.figure["data"]} == types


def test_the_process_of_a_file_loads_no_page() -> None:
    code = "import sys, pages.shared.files.making; print('streamlit' in sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert ended.stdout == "False\n"


def kept(content: bytes, tmp_path: Path) -> str:
    (tmp_path / "made").write_bytes(content)
    return media.keep(tmp_path / "made")


@pytest.mark.parametrize(
    "name", ["run-0.zip", 'a";x="b.csv', "é.csv", "a\r\nX: y.csv", "a b;c.csv", "'.csv"]
)
def test_a_file_is_sent_under_its_name_and_no_name_adds_to_the_header(
    name: str, tmp_path: Path
) -> None:
    """A quote in a name ended the name, and the rest of it became a parameter of its own."""
    address = media.address(kept(b"content", tmp_path), name)
    answer = answer_of(asked("GET", unquote(address).encode(), b"", [], b""))
    assert (answer.status, answer.body) == (200, b"content")
    said = Message()
    said["Content-Disposition"] = answer.headers["content-disposition"]
    parameters = dict(said.get_params(header="content-disposition") or [])
    assert set(parameters) == {"attachment", "filename"}
    assert said.get_filename() == name


def test_the_records_of_a_panel_have_a_name_that_adds_nothing(finished: Run) -> None:
    path = f"/api/runs/{finished.key}/records.csv".encode()
    for panels in (b"losses", b'losses,losses/original";x=%22y'):
        answer = answer_of(asked("GET", path, b"panels=" + panels, [], b""))
        if answer.status == 200:
            said = Message()
            said["Content-Disposition"] = answer.headers["content-disposition"]
            given = said.get_params(header="content-disposition") or []
            assert [name for name, _ in given] == ["attachment", "filename"]


@pytest.mark.parametrize("token", ["0" * 32, "../run", "", "x" * 32, "%2e%2e"])
def test_nothing_else_is_sent(token: str, tmp_path: Path) -> None:
    kept(b"1", tmp_path)
    answer = answer_of(asked("GET", f"/api/files/{token}/a.csv".encode(), b"", [], b""))
    assert answer.status == 404 and is_sentence(json.loads(answer.body)["error"])


def test_without_a_folder_of_runs_a_file_is_made_and_kept_elsewhere(
    runs: Path, tmp_path: Path
) -> None:
    shutil.rmtree(runs)
    runs.write_text("not a folder", encoding="utf-8")
    assert not media.place().is_relative_to(runs)
    token = kept(b"1", tmp_path)
    file = media.made(token)
    assert file and file.read_bytes() == b"1"
    file.unlink()


def test_a_name_has_no_letter_that_means_something_in_a_header() -> None:
    assert media.STRANGE.sub("-", 'loss"; x\r\n=é/y') == "loss- x-é-y"
