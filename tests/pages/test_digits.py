"""A problem without a page of its own: links to it and its runs get one sentence."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dynamics.runs.start import start
from tests.engine.test_digits import config
from tests.support.make import is_sentence, until

PAGES = Path(__file__).parents[2] / "pages"


def test_a_link_to_digits_says_that_they_have_no_page(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLN_RUNS", str(folder))
    app = AppTest.from_file(PAGES / "1_Side_by_side.py", default_timeout=60)
    app.query_params["problem"] = "digits"
    app.query_params["features"] = "64"
    shown = app.run()
    assert not shown.exception, shown.exception
    (warning,) = [each.value for each in shown.warning]
    assert "digits has no page yet." in warning
    (menu,) = [each for each in shown.selectbox if each.label == "Problem"]
    assert "digits" not in [*menu.options, menu.value]


def test_a_run_of_digits_is_listed_and_not_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(config(steps=10, record_every=5), folder)
    until(lambda: not run.status.live)
    monkeypatch.setenv("DLN_RUNS", str(folder))
    app = AppTest.from_file(PAGES / "1_Side_by_side.py", default_timeout=60)
    app.query_params["run"] = run.key
    shown = app.run()
    assert not shown.exception, shown.exception
    (warning,) = [each.value for each in shown.warning]
    assert is_sentence(warning) and f"export {run.key}" in warning
    listed = AppTest.from_file(PAGES / "5_Saved_runs.py", default_timeout=60).run()
    assert not listed.exception and run.key in str(listed.dataframe[0].value)
