"""Damaged runs in the folder of all: every page shows the rest as if they were not there."""

import shutil
from collections.abc import Callable
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


@pytest.mark.parametrize("page", ["1_Side_by_side.py", "5_Saved_runs.py"])
@pytest.mark.parametrize("harm", [garble, empty_layout, far_future])
def test_a_damaged_run_takes_no_page_down(
    page: str, harm: Callable[[Run], None], finished: Run, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    shutil.copytree(finished.folder.parent, tmp_path / "runs")
    run = start(small(steps=2000), tmp_path / "runs")
    until(lambda: not run.status.live)
    harm(run)
    monkeypatch.setenv("DLN_RUNS", str(tmp_path / "runs"))
    shown = AppTest.from_file(PAGES / page, default_timeout=60).run()
    assert not shown.exception, shown.exception
    phases = {each.key: status.phase for each, _, status in listing(tmp_path / "runs")}
    assert phases[finished.key] == "done"
    assert (phases[run.key] == "unreadable") == (harm is not garble)
