"""Damaged runs in the folder of all: every page shows the rest as if they were not there."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dynamics.runs.run import Run, listing
from dynamics.runs.start import start
from tests.support.make import small, until

PAGES = Path(__file__).parents[2] / "pages"


def garble(run: Run) -> None:
    """As a short write leaves the records: every later row is shifted."""
    content = (run.folder / "records.f8").read_bytes()
    (run.folder / "records.f8").write_bytes(content[:4000] + content[4008:])


def empty_layout(run: Run) -> None:
    (run.folder / "layout.json").write_bytes(
        b'{"shapes": {"original": {"a": [1e999]}}, "facts": {}}'
    )


def far_future(run: Run) -> None:
    status = (run.folder / "status.json").read_text(encoding="utf-8")
    start, _, rest = status.partition('"created": ')
    text = start + '"created": 1e300' + rest.lstrip("0123456789.e+")
    (run.folder / "status.json").write_text(text, encoding="utf-8")


HARMS = [(garble, "done"), (empty_layout, "unreadable"), (far_future, "unreadable")]


@pytest.fixture(scope="module")
def damaged(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The phase that each run is expected in, by key: one is sound, three are damaged."""
    folder = tmp_path_factory.mktemp("damaged") / "runs"
    shutil.copytree(finished.folder.parent, folder)
    phases = {finished.key: "done"}
    for seed, (harm, phase) in enumerate(HARMS):
        run = start(small(seed_target=seed, steps=2000), folder)
        until(lambda run=run: not run.status.live)
        harm(run)
        phases[run.key] = phase
    return {"folder": str(folder)} | phases


@pytest.mark.parametrize("page", ["1_Side_by_side.py", "5_Saved_runs.py"])
def test_damaged_runs_take_no_page_down(
    page: str, damaged: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, *_ = damaged.values()
    monkeypatch.setenv("DLN_RUNS", folder)
    shown = AppTest.from_file(PAGES / page, default_timeout=60).run()
    assert not shown.exception, shown.exception
    phases = {run.key: status.phase for run, _, status in listing(Path(folder))}
    assert phases | {"folder": folder} == damaged
