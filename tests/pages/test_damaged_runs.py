"""Damaged runs in the folder of all: every page shows the rest as if they were not there."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from streamlit.testing.v1 import AppTest

from dynamics.core import description
from dynamics.runs.run import Run, listing
from dynamics.runs.start import start
from tests.runs.test_faults import damages
from tests.support.few import few
from tests.support.make import PATIENCE, small, until

pytestmark = pytest.mark.xdist_group("damaged")  # in one process, they share what they set up

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


@pytest.mark.parametrize("page", few(["7_Saved_runs.py", "1_Side_by_side.py"], 1))
def test_damaged_runs_take_no_page_down(
    page: str, damaged: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, *_ = damaged.values()
    monkeypatch.setenv("DLN_RUNS", folder)
    shown = AppTest.from_file(PAGES / page, default_timeout=PATIENCE).run()
    assert not shown.exception, shown.exception
    phases = {run.key: status.phase for run, _, status in listing(Path(folder))}
    assert phases | {"folder": folder} == damaged


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=150, deadline=None)
@given(damage=damages())
def test_a_page_that_shows_a_damaged_run_stays(
    finished: Run, tmp_path_factory: pytest.TempPathFactory, damage: tuple[str, Any]
) -> None:
    file, damaged = damage
    assume((finished.folder / file).exists())
    place = tmp_path_factory.getbasetemp() / "damaged_pages"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(finished.folder.parent, place)
    path = place / finished.key / file
    content = damaged(path.read_bytes())
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLN_RUNS", str(place))
        for page in ("1_Side_by_side.py", "7_Saved_runs.py"):
            shown = AppTest.from_file(PAGES / page, default_timeout=PATIENCE)
            if page.startswith("1"):  # the address opens the run
                for name, value in description.differences(finished.config, None).items():
                    shown.query_params[name] = value
            shown.run()
            assert not shown.exception, shown.exception
