"""Film ratings: trained, rated and recommended on the page, with the films' own titles."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dynamics.core.config import Config
from dynamics.engine import ratings
from dynamics.runs.run import find
from tests.browser.conftest import ROOT, Server, served
from tests.browser.test_visit import phase, press, query_of

pytestmark = pytest.mark.xdist_group("visit")


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The app with MovieLens 100K in a folder that it may write."""
    folder = tmp_path / "data/ml-100k"
    folder.mkdir(parents=True)
    shutil.copy(f"{os.environ['DLN_SHARED']}/data/ml-100k/u.data", folder)
    # MovieLens may not be passed on, so the titles are made up.
    lines = [f"{number}|Film {number}, The (1995)|01-Jan-1995" for number in range(1, 1683)]
    (folder / "u.item").write_text("\n".join(lines), encoding="latin-1")
    monkeypatch.delenv("DLN_SHARED")
    monkeypatch.setenv("DLN_DATA", str(folder.parent))
    ratings.peers(Config.from_dict({"problem": "films"}))  # what a first run computes once
    runs = tmp_path / "runs"
    runs.mkdir()
    with served(ROOT / "app.py", runs) as server:
        yield server


@pytest.mark.slow
@pytest.mark.skipif("DLN_SHARED" not in os.environ, reason="needs the MovieLens 100K ratings")
def test_whoever_rates_films_gets_recommendations(
    films: Server, page_at: Callable[[int], Page]
) -> None:
    """Ten films without a rating, ten others with two; none of them is one that was rated."""
    page = page_at(1400)
    page.goto(f"{films.address}/?problem=films&steps=60")
    press(page, "Train")
    phase(page, "Done")
    run = find(query_of(page)["run"], films.runs)
    (network,) = run.trajectories
    errors = network.series["held_out_rmse"]
    assert errors.min() < errors[0]
    assert run.layout.facts["films"][49] == "The Film 50 (1995)"

    expect(page.get_by_text("For everybody")).to_be_visible()
    offered = page.locator(".st-key-films table").first
    before = offered.inner_text()
    rated = page.locator("[class*='st-key-film-']")
    expect(rated).to_have_count(10)
    titles = rated.locator("p").all_inner_texts()
    assert "The Film 50 (1995)" in titles and all(re.search(r"\(\d{4}\)$", each) for each in titles)
    for place, stars in ((0, 5), (1, 1)):
        rated.nth(place).get_by_role("radio").nth(stars - 1).click()
    expect(page.get_by_text("For you", exact=True)).to_be_visible()
    expect(offered).not_to_have_text(before)
    rows = offered.locator("tbody tr").all_inner_texts()
    assert len(rows) == 10 and not any(title in row for row in rows for title in titles[:2])
    held = page.locator(".st-key-films table").last.locator("tbody tr")
    assert held.count() == 10
