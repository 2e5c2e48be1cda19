"""Group: runs that are trained together, and what is asked of them as one."""

from pathlib import Path

import pytest

from dynamics.runs import group
from dynamics.runs.group import Group
from dynamics.runs.run import CANCEL, RunError
from dynamics.runs.start import start
from tests.support.make import LONG, is_sentence, small, until


def test_a_figure_of_many_runs_leaves_places_in_line_to_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One in hand, the next when it has ended, none once one was cancelled."""
    monkeypatch.setattr(group, "IN_HAND", 1)
    steps = [1000, LONG, LONG]
    wanted = [small(seed_init=i, steps=each, record_every=1000) for i, each in enumerate(steps)]
    runs = Group(wanted, folder)
    run = runs.runs

    def there() -> int:
        return [each.folder.exists() for each in run].count(True)

    runs.start()
    assert there() == 1
    until(lambda: run[0].status.phase == "done")
    runs.start_more()
    runs.start_more()
    assert there() == 2 and run[1].status.live
    run[1].ask(CANCEL)
    until(lambda: not run[1].status.live)
    runs.start_more()
    assert there() == 2
    runs.start()  # go on: what was cancelled comes before what is new
    assert there() == 2 and run[1].status.live


def test_equal_runs_are_one_and_an_early_stop_counts_as_all_steps(folder: Path) -> None:
    """Whoever looks sees how much is left, not how much was saved."""
    stops = small(tolerance=0.5, steps=2000)
    runs = Group([stops, small(steps=100), stops], folder)
    assert runs.progress().phases == ("", "") and not runs.progress().live
    last = list(runs.watch())[-1]
    assert last.complete and (last.step, last.steps) == (2100, 2100)
    assert last.status(stops).step < 2000  # type: ignore[union-attr]


def test_watching_ends_when_a_run_of_it_is_cancelled(folder: Path) -> None:
    """With the sentence of that run; the others are whoever's who started them."""
    other = start(small(steps=LONG, record_every=1000), folder)
    runs = Group([small(steps=LONG, record_every=1000, seed_init=1)], folder)

    def watch_and_cancel() -> None:
        for progress in runs.watch():
            assert progress.live
            runs.runs[0].ask(CANCEL)

    with pytest.raises(RunError) as caught:
        watch_and_cancel()
    assert is_sentence(f"Run {caught.value}.") and "cancelled" in str(caught.value)
    assert other.status.live


def test_a_page_that_was_only_opened_starts_nothing(folder: Path) -> None:
    """One of its runs may train for somebody else: the others wait for a click."""
    mine, theirs = small(seed_init=1), small(steps=LONG, record_every=1000)
    start(theirs, folder)
    Group([mine, theirs], folder).start_more()
    assert not (folder / mine.key).exists()
