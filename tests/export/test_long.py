"""Long runs: a file of more records than are held at once is the same, and takes little memory."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dynamics.core.records import COUNTERS
from dynamics.export import export
from dynamics.runs import run as runs
from dynamics.runs.run import Run, RunError
from tests.support.long import long_run
from tests.support.make import is_sentence

MOST = 300.0  # MB that the zip of a run with 100,000 records may take
PEAK = """
import sys
from pathlib import Path
from dynamics.__main__ import main
status = main(sys.argv[1:])
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
sys.exit(status)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return long_run(tmp_path_factory.mktemp("long"), 150, rows=12, cols=12, rank=2, rank_bound=3)


@pytest.fixture
def few_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven records are read together."""
    monkeypatch.setattr(runs, "AT_ONCE", 7 * 8 * run.layout.width)


@pytest.mark.usefixtures("few_at_once")
def test_parts_of_a_run_make_the_same_files(run: Run) -> None:
    """Every number is in the CSV, the NPZ, the JSON and the zip, as the run has it at once."""
    table = pd.read_csv(io.BytesIO(export.export(run, "csv")))
    arrays = np.load(io.BytesIO(export.export(run, "npz")))
    stored = json.loads(export.export(run, "json"))["networks"]
    packed = zipfile.ZipFile(io.BytesIO(export.export(run, "zip")))
    assert packed.read("records.csv") == export.export(run, "csv")
    for each in run.trajectories:
        rows = table[table["network"] == each.network]
        assert rows["step"].tolist() == list(range(150))
        for name, values in each.series.items():
            assert np.array_equal(arrays[f"{each.network}_{name}"], values, equal_nan=True)
            listed = np.array(stored[each.network][name], float)  # null becomes NaN
            assert np.array_equal(listed[np.isfinite(values)], values[np.isfinite(values)])
            if values.ndim == 1:
                assert np.array_equal(rows[name], values, equal_nan=True)
        assert np.array_equal(rows["operations"], each.operations)


@pytest.mark.usefixtures("few_at_once")
def test_some_measurements_are_read_without_the_others(run: Run) -> None:
    for every, few in zip(run.trajectories, run.only(["mode_values", "train_loss"]), strict=True):
        assert set(few.series) == {"mode_values", "train_loss"} & set(every.series)
        for name, values in few.series.items():
            assert np.array_equal(values, every.series[name], equal_nan=True)
        for name in ("network", "facts"):
            assert getattr(few, name) == getattr(every, name)
        for name in ("steps", *COUNTERS):
            assert np.array_equal(getattr(few, name), getattr(every, name))
    assert run.last == 149


@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize("at", [0, 6, 7, 8, 149])
def test_a_damaged_record_is_named_wherever_a_part_ends(at: int, run: Run, tmp_path: Path) -> None:
    """Its number is the one that ``rows`` names."""
    (tmp_path / run.key).mkdir()
    copy = Run(tmp_path / run.key)
    for file in run.folder.iterdir():
        (copy.folder / file.name).write_bytes(file.read_bytes())
    rows = run.rows()
    rows[at, 0] = max(at - 2, -1)
    (copy.folder / "records.f8").write_bytes(rows.tobytes())
    told = []
    for read in (copy.rows, copy.need_records):
        with pytest.raises(RunError) as refused:
            read()
        told.append(str(refused.value))
    assert told[0] == told[1] and f"number {at:,}." in told[0] and is_sentence(told[0])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_zip_of_100_000_records_takes_little_memory(tmp_path: Path) -> None:
    run = long_run(tmp_path)
    words = ["export", run.key, "--format", "zip", "--runs", str(tmp_path), "--out", "all.zip"]
    ended = subprocess.run(
        [sys.executable, "-c", PEAK, *words], cwd=tmp_path, check=True, capture_output=True,
        text=True, env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert int(ended.stdout.split()[-1]) / 1000 < MOST
    with zipfile.ZipFile(tmp_path / "all.zip") as packed:
        assert packed.testzip() is None
        with packed.open("records.csv") as records:
            assert sum(1 for _ in records) == 1 + 2 * 100_000
