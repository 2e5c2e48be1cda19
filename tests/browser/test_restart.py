"""After a restart of the web server: the first click on an open page does what it says."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from dynamics.core.config import Config
from dynamics.runs.run import Run
from tests.browser.conftest import ROOT, free_port, served, until
from tests.browser.test_visit import SMALL, button, phase, query_of, visit

Open = Callable[[int], Page]


def test_the_first_click_after_a_restart_is_heard(page_at: Open, tmp_path: Path) -> None:
    """In a new session, which has seen no button yet."""
    page, port = page_at(1400), free_port()
    settings = SMALL | {"rank_bound": 5}
    run = Run(tmp_path / Config.from_dict(settings).key)
    with served(ROOT / "app.py", tmp_path, port=port) as server:
        visit(page, server, "&".join(f"{name}={value}" for name, value in settings.items()))
        expect(button(page, "Train").first).to_be_enabled()
    with served(ROOT / "app.py", tmp_path, port=port):
        button(page, "Train").first.click()
        until(run.folder.exists, 20, "the run is started")
        phase(page, "Done")
        expect(button(page, "Reset").first).to_be_enabled()
    with served(ROOT / "app.py", tmp_path, port=port):
        button(page, "Reset").first.click()
        expect(page.locator(".dln-phase")).to_have_count(0)
        assert "run" not in query_of(page)
