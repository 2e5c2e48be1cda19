"""A run that another program trains, on the pages: its charts while it trains, and its files."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button
from torch import nn

from dynamics import watch
from dynamics.draw.panel import of_runs
from dynamics.export import chart
from dynamics.runs.run import find, listing
from pages.shared.charts import numbers, offered, panels, usual
from pages.shared.live.panels import Sent, descriptions
from tests.support.make import PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DLN_RUNS", str(tmp_path))
    return tmp_path


def opened(key: str) -> AppTest:
    """The first page with this run."""
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    page.query_params["run"] = key
    page.run()
    return page


def told(page: AppTest) -> str:
    return " ".join(part.value for part in page.markdown)


def test_numbers_have_charts_of_their_own_and_are_compared(runs: Path) -> None:
    """Under their names, with their values, also those that were given now and then."""
    for slope in (1.0, 2.0):
        model = nn.Linear(6, 6)
        with watch(model, runs, names=["weight"], every=1) as recorder:
            for number in range(5):
                recorder.step(loss=0.5, **({"val/acc": slope * number} if number % 2 else {}))
    both = [run for run, _, _ in listing(runs)]
    (trace,) = of_runs(both[:1], "numbers/val_acc").data
    assert trace.connectgaps and trace.meta["y"] == "model.val_acc"
    last = np.array(trace.y)[[2, 4]]
    assert last[1] == 3 * last[0]
    (described,) = descriptions(both[0], "numbers/val_acc")
    assert described.figure and described.figure["layout"]["title"]["text"] == "val_acc"
    assert described.columns == ("model.val_acc",)
    (absent,) = descriptions(both[0], "numbers/none")
    assert absent.lack == "No number 'none' was given to this run."
    compared = of_runs(both, "val_acc")
    assert len(compared.data) == 2 and compared.layout.yaxis.type == "linear"
    words = chart.of_runs(both[:1], "numbers/val_acc").about
    assert words.title == "val_acc"
    assert words.caption.startswith("val_acc, as the program gave it. Recorded from ")
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    page.switch_page("pages/7_Saved_runs.py")
    page.query_params["runs"] = ",".join(run.key for run in both)
    page.query_params["compare"] = "val_acc"
    page.run()
    assert not page.exception
    assert not page.warning
    (menu,) = (box for box in page.selectbox if box.label == "Compare")
    assert menu.value == "val_acc"


def account(page: AppTest) -> list[Button]:
    """The line that opens *What happened*."""
    return [each for each in page.button if each.label.startswith("What happened")]


def test_it_opens_while_its_program_trains_and_after(runs: Path) -> None:
    """Its title, its columns for the stream, no settings; an account once it has ended."""
    model = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 3))
    with watch(model, runs, factors=[["0", "1"]], every=1, title="mine") as recorder:
        recorder.step(loss=0.5, **{"val/acc": 0.9, "grad_norm": 3.0})
        assert recorder.folder
        key = recorder.folder.name
        run = find(key, runs)
        assert run.status.live
        described = descriptions(run, "losses,singular_values/product")
        columns = Sent(run, described).names
        assert {"model.train_loss", "product.singular_values.3"} <= {*columns}
        page = opened(key)
        assert not page.exception
        assert ">mine</h1>" in " ".join(each.proto.body for each in page.get("html"))
        assert not page.sidebar.selectbox
        assert not account(page)
        assert panels(chosen_by_default := usual(run.config), run.config, numbers(run)) == [
            "losses", "numbers/val_acc", "numbers/grad_norm", "singular_values/product"
        ]  # fmt: skip
        assert {*chosen_by_default} <= {*offered(run)} and "accuracy" not in offered(run)
    page = opened(key)
    assert not page.exception
    (line,) = account(page)
    line.click().run()
    assert "Train loss at step 1: 0.5." in told(page)
