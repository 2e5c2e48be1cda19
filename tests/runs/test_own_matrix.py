"""A matrix or ratings of one's own on the command line: imported, trained, told, completed."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamics.__main__ import main
from dynamics.data import own_matrix
from dynamics.runs.run import listing

RNG = np.random.default_rng(3)
LOW = 4 * RNG.normal(size=(25, 2)) @ RNG.normal(size=(2, 20)) + 3  # has gaps at `GAPS`
GAPS = RNG.random(LOW.shape) < 0.3


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The matrix as text, with names of rows and columns and blanks for gaps."""
    monkeypatch.setenv("DLN_DATA", str(tmp_path / "data"))
    page = io.StringIO()
    writer = csv.writer(page, delimiter=";")
    writer.writerow(["", *(f"film {col}" for col in range(20))])
    for number, (row, gaps) in enumerate(zip(LOW, GAPS, strict=True)):
        cells = ["" if gap else repr(float(value)) for value, gap in zip(row, gaps, strict=True)]
        writer.writerow([f"user {number}", *cells])
    (tmp_path / "mine.csv").write_text(page.getvalue())
    return tmp_path / "mine.csv"


def test_gaps_of_a_file_are_filled_as_csv_npy_and_npz(
    file: Path, folder: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Known entries stay, gaps come close to the truth, and a script trains the run again."""
    flags = ["--steps=3000", "--observed=0.95", f"--runs={folder}"]
    assert main(["run", f"--data-file={file}", "--json", *flags]) == 0
    told: dict[str, Any] = json.loads(capsysbinary.readouterr().out)
    ((run, config, _),) = listing(folder)
    assert config and config.problem == "own_matrix" and told["run"] == run.key
    assert own_matrix.MatrixId.read(config.dataset) == own_matrix.MatrixId.of(
        "mine", own_matrix.own_matrix(file)
    )
    (trajectory,) = run.trajectories
    least = told["networks"]["compressed"]["least"]["test_loss"]
    assert least["value"] == trajectory.series["test_loss"].min()

    written = {}
    for form, ending in {
        "completed": "csv",
        "completed_npy": "npy",
        "completed_npz": "npz",
    }.items():
        out = tmp_path / f"whole.{ending}"
        arguments = [f"--format={form}", f"--out={out}", f"--runs={folder}"]
        assert main(["export", run.key, *arguments]) == 0
        written[ending] = out
    whole = np.load(written["npy"])
    assert np.array_equal(whole[~GAPS], LOW[~GAPS])
    assert np.abs(whole - LOW)[GAPS].max() < 0.1 * LOW.std()
    with np.load(written["npz"]) as arrays:
        assert np.array_equal(arrays["matrix"], whole)
        assert arrays["rows"][3] == "user 3" and arrays["columns"][-1] == "film 19"
    head, *rows = csv.reader(written["csv"].read_text().splitlines())
    assert head[1:] == [f"film {col}" for col in range(20)] and rows[3][0] == "user 3"
    assert np.array([row[1:] for row in rows], float) == pytest.approx(whole, rel=1e-5)

    capsysbinary.readouterr()
    arguments = ["--format=script", "--out=-", f"--runs={folder}"]
    assert main(["export", run.key, *arguments]) == 0
    again: dict[str, Any] = {"__name__": "again"}
    exec(capsysbinary.readouterr().out.decode(), again)
    again["main"]()
    assert b"Everything agrees" in capsysbinary.readouterr().out
    again["SETTINGS"]["seed_data"] = 1  # another part of the entries is held out
    with pytest.raises(AssertionError, match="cannot be repeated"):
        again["main"]()
