"""Archive: several runs in one table and one zip, which says of each row and column what it is."""

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dynamics.__main__ import main
from dynamics.core.config import Config
from dynamics.export import export, tables
from dynamics.runs.run import Run
from dynamics.runs.start import start
from tests.support.make import is_sentence, small, until


@pytest.fixture
def several(folder: Path) -> list[Run]:
    """Two problems, of which one has networks that the other has not."""
    configs = [small(problem="factorization", seed_init=3), small(networks=("narrow_random",))]
    started = [start(config, folder) for config in configs]
    until(lambda: not any(run.status.live for run in started))
    return started


@pytest.mark.slow
def test_a_zip_of_several_runs_is_one_table_beside_their_settings(
    several: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened by the line in its README, joined by the other; every number is the run's own."""
    with open(tmp_path / "both.zip", "wb") as file:
        tables.write_bundle(several, "both", file, {"verdict.json": b"{}"})
    monkeypatch.chdir(tmp_path)
    opened = zipfile.ZipFile("both.zip")
    readme = opened.read("README.md").decode()
    (line,) = (line for line in readme.splitlines() if line.startswith("    pd.read_csv"))
    records = eval(line.strip(), {"pd": pd, "zipfile": zipfile})
    table = pd.read_csv(io.BytesIO(opened.read("runs.csv")))
    joined = records.merge(table, on="run")
    assert len(joined) == len(records) == 3 * 7 and opened.read("verdict.json") == b"{}"
    for run in several:
        own = joined[joined["run"] == run.key]
        assert set(own["problem"]) == {run.config.problem}
        for each in run.trajectories:
            rows = own[own["network"] == each.network]
            assert rows["train_loss"].tolist() == each.series["train_loss"].tolist()
            stored = np.load(io.BytesIO(opened.read(f"{run.key}.npz")))
            assert np.array_equal(stored[f"{each.network}_steps"], each.steps)
    configs = json.loads(opened.read("config.json"))
    assert [Config.from_dict(configs[run.key]) for run in several] == [r.config for r in several]
    described = re.findall(r"^\| ([\w.]+) \| .+ \| .* \|$", readme, re.MULTILINE)[1:]
    stems = {re.sub(r"(\.\d+)+$", ".i", column) for column in records.columns}
    assert set(described) == stems and "½ mean square, all entries or" in readme


@pytest.mark.slow
def test_the_command_line_writes_several_runs_as_a_table_or_a_zip(
    several: list[Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What holds one run alone says so."""
    keys = [run.key for run in several]
    place = ["--runs", str(several[0].folder.parent)]
    assert main(["export", *keys, *place, "--out", str(tmp_path / "two.zip")]) == 0
    assert "two.zip" in zipfile.ZipFile(tmp_path / "two.zip").read("README.md").decode()
    assert main(["export", *keys, *place, "--out", str(tmp_path / "two.csv")]) == 0
    assert set(pd.read_csv(tmp_path / "two.csv")["run"]) == set(keys)
    assert main(["export", *keys, *place, "--out", str(tmp_path / "two.npz")]) == 2
    said = capsys.readouterr().err.strip()
    assert is_sentence(said) and "csv and zip hold several" in said
    (several[1].folder / "records.f8").write_bytes(b"")
    for form in ("zip", "csv"):
        assert main(["export", *keys, *place, "--out", str(tmp_path / f"none.{form}")]) == 2
        assert f"{keys[1]} has no records yet." in capsys.readouterr().err
    assert main(["export", keys[0], keys[0], *place, "--out", str(tmp_path / "one.csv")]) == 0
    assert "run" not in pd.read_csv(tmp_path / "one.csv").columns


def test_a_zip_of_classes_says_what_each_index_counts(folder: Path) -> None:
    settings = {"problem": "digits", "networks": "compressed", "features": 16, "rank_bound": 2}
    run = start(Config.from_dict(settings | {"steps": 20}), folder)
    until(lambda: not run.status.live)
    readme = tables.readme([run], "run")
    for words in (
        "| class_vectors.i.j | Which classes each singular value of the end-to-end matrix tells "
        "apart (i: mode, j: class) | no unit |",
        "| inner_coordinates.i.j | Where",
        "(i: image, j: coordinate)",
        "(i: true class, j: class that the network says)",
    ):
        assert words in readme
    records = pd.read_csv(io.BytesIO(export.export(run, "csv")))
    last = run.trajectories[0].series["confusion"][-1]
    assert records["confusion.4.9"].iloc[-1] == last[3, 8]
    assert np.allclose(last.sum(1), 1)
