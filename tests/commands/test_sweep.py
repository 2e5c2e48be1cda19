"""The command ``sweep``: lists and ranges in place of values."""

import json
import re
import sys
from pathlib import Path

import pandas as pd
import pytest

from dynamics.__main__ import main
from dynamics.core.sweep import Sweep
from dynamics.runs.run import listing
from dynamics.runs.sweep import listing as sweeps
from tests.support.make import is_sentence

FLAGS = (
    "sweep --rows 16 --cols 16 --rank 2 --observed 0.8 --init-scale 0.2 --learning-rate 0.3 "
    "--rate-unit limit --steps 100 --record-every 20 --level 0.5 --alpha 1:2:0.5 --rank-bound 2,20"
)


def test_a_sweep_is_trained_printed_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table, then without training JSON, Parquet and, by its own command line, the same."""
    words = [*FLAGS.split(), "--runs", str(tmp_path), "--seeds", "2"]
    assert main([*words, "--out", str(tmp_path / "cells.csv")]) == 0
    out, err = capsys.readouterr()
    assert "6 runs" in err and "3 cells cannot exist" in err and "at most 16" in err
    lines = out.splitlines()
    assert lines[0].startswith("Steps to recovery error 0.5")
    assert lines[1].split() == ["alpha", "\\", "rank_bound", "2", "20"]  # as they were typed
    assert [line.split()[0] for line in lines[2:5]] == ["1", "1.5", "2"]
    assert {line.split()[2] for line in lines[2:5]} == {"–"}
    table = pd.read_csv(tmp_path / "cells.csv")
    assert len(table) == 9 and table["run"].nunique() == 6
    assert {run.key for run, *_ in listing(tmp_path)} == {*table["run"].dropna()}
    assert main([*words, "--json", "--out", str(tmp_path / "cells.parquet")]) == 0
    out, err = capsys.readouterr()
    assert "6 of them finished already" in err
    stored = json.loads(out)
    (folder,) = sweeps(tmp_path)
    assert Sweep.from_dict(stored["sweep"]) == folder.sweep
    assert len(pd.read_parquet(tmp_path / "cells.parquet")) == len(stored["runs"]) == 9
    again = [*stored["command"].split()[3:], "--runs", str(tmp_path), "--dry-run"]
    assert main(again) == 0
    assert f"Sweep {folder.folder.name}: 6 runs, 6 of them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("--alpha 0:2:1", r"--alpha: α \(alpha\) must be .* 0.0 was given"),
        ("--rank 1,2,3 --depth 2,3", "one to three axes; 4"),
        ("--outcome luck", "must be one of steps"),
        ("--most-runs 5", "6 runs, and 5 are allowed"),
        ("--optimizer adam,foo", "--optimizer: .*'foo' was given"),
        ("--out cells.doc", "must end in one of"),
        ("--scheduler tcp://127.0.0.1:9", "No Dask scheduler answers"),
    ],
)
def test_what_cannot_be_swept_is_one_sentence(
    more: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Status 2, and nothing is trained."""
    monkeypatch.setattr("dynamics.runs.executors.dask.REACHED", 0.5)
    with pytest.raises(SystemExit) as end:
        sys.exit(main([*FLAGS.split(), *more.split(), "--runs", str(tmp_path)]))
    assert end.value.code == 2
    sentence = capsys.readouterr().err.strip().splitlines()[-1]
    assert is_sentence(sentence.removeprefix("dynamics: "))
    assert re.search(words, sentence)
    assert listing(tmp_path) == []
