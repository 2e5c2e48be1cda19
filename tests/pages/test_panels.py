"""Panels: what a viewer is sent is what the run's files have, and how far it is from theory."""

import itertools
import statistics
import threading
import time
from pathlib import Path

import numpy as np

from dynamics.core import registry
from dynamics.core.records import COUNTERS
from dynamics.draw.shown import show
from dynamics.runs.run import Run
from dynamics.runs.start import start
from pages.shared.live.panels import Sent, descriptions
from tests.support.make import full, until


def seconds(run: Run, names: str, versus: str = "steps") -> float:
    """How long it takes until the panels of a run are there."""
    began = time.perf_counter()
    assert descriptions(run, names, versus)
    return time.perf_counter() - began


def test_many_new_sets_of_panels_keep_nobody_waiting(finished: Run) -> None:
    """Four clients ask for one set of charts after another that nobody has asked for before.

    Under one lock for sets of charts, whoever asked for known ones waited as long as several such
    sets take.
    """
    charts = [*registry.options("charts")][:12]
    usual = "losses,singular_values"
    seconds(finished, usual)
    # The first set loads what draws.
    _, new = (seconds(finished, ",".join(charts), axis) for axis in ("log seconds", "operations"))
    over = threading.Event()
    served: list[int] = []

    def ask(first: int) -> None:
        for order in itertools.islice(itertools.permutations(charts), first, None, 997):
            if over.is_set():
                return
            descriptions(finished, ",".join(order), "seconds")
            served.append(first)

    clients = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for client in clients:
        client.start()
    taken = []
    for _ in range(10):
        before = len(served)
        until(lambda before=before: len(served) > before)
        taken.append(seconds(finished, usual))
    over.set()
    for client in clients:
        client.join()
    assert statistics.median(taken) < new / 4, (statistics.median(taken), new)


def test_whoever_asks_for_a_new_chart_waits_for_charts_and_not_for_sets(finished: Run) -> None:
    """Others who came first with many charts have one each drawn before it."""
    charts = [*registry.options("charts")][:12]
    many = ",".join(charts)
    ends: list[float] = []

    def ask(theory: bool) -> None:
        descriptions(finished, many, "log steps", theory)
        ends.append(time.perf_counter())

    clients = [threading.Thread(target=ask, args=(theory,)) for theory in (False, True)]
    for client in clients:
        client.start()
    descriptions(finished, "losses", "normalised")
    own = time.perf_counter()
    for client in clients:
        client.join()
    assert own < min(ends), [end - own for end in ends]


def test_columns_that_are_recorded_are_sent_as_they_are(finished: Run) -> None:
    sent = Sent(finished, descriptions(finished, "singular_values,recovery_error"))
    rows, names = finished.rows(), finished.layout.names
    assert set(sent.names) <= set(names) and len(set(sent.names)) == len(sent.names)
    assert np.array_equal(sent.of(rows), rows[:, [names.index(each) for each in sent.names]])


def test_distances_from_theory_are_sent_beside_them(folder: Path) -> None:
    """In the precision of the record, any part of the records at a time; a worker keeps none."""
    config = full(steps=400)
    run = start(config, folder)
    until(lambda: not run.status.live)
    sent = Sent(run, descriptions(run, "singular_values/compressed"))
    assert not any("residuals" in name for name in run.layout.names)
    (item,) = [each for each in show(config, run.trajectories) if each.network == "compressed"]
    places = [sent.names.index(f"compressed.residuals.{i + 1}") for i in range(config.rank)]
    for part in (slice(None), slice(3, 4), slice(None, None, 7)):
        found = sent.of(run.rows()[part])[:, places]
        assert np.array_equal(found, item.values("residuals")[part], equal_nan=True)
    assert np.nanmax(found) < 1e-11


def test_older_runs_are_sent_with_what_the_original_did_before_a_late_start(folder: Path) -> None:
    """Their file counts the late network from its own start on; charts and tables do not."""
    run = start(full(steps=60, changes="30:compress"), folder)
    until(lambda: not run.status.live)
    layout, rows = run.layout, run.rows()
    # They did not count the seconds of the cut, either.
    own, source = (layout.slices[name, "seconds"] for name in ("compressed", "original"))
    first = int(np.flatnonzero(np.isfinite(rows[:, own.start]))[0])
    rows[:, own] -= rows[first, own] - rows[first, source]
    (run.folder / "records.f8").write_bytes(rows.tobytes())
    sent = Sent(run, descriptions(run, "recovery_error"))
    assert np.array_equal(sent.of(rows)[:, 0], rows[:, 0])
    wanted = sent.of(rows)
    for counter in COUNTERS:
        place = layout.slices["compressed", counter]
        rows[:, place] -= np.nanmin(rows[:, place])
    (run.folder / "records.f8").write_bytes(rows.tobytes())
    sent = Sent(run, descriptions(run, "recovery_error"))
    assert np.allclose(sent.of(rows), wanted, rtol=1e-12, equal_nan=True)
    (late,) = [each for each in run.trajectories if each.network == "compressed"]
    seconds = sent.of(rows[-2:])[:, sent.names.index("compressed.seconds")]
    assert np.array_equal(seconds, late.seconds[-2:]) and seconds[0] > 0


def test_a_figure_without_theory_has_no_trace_of_it(finished: Run) -> None:
    """What is hidden is not sent, over any axis."""
    for versus in ("steps", "normalised"):
        (shown,) = descriptions(finished, "singular_values/compressed", versus)
        (plain,) = descriptions(finished, "singular_values/compressed", versus, theory=False)
        lines = [trace["meta"]["y"] for trace in plain.figure["data"]]
        assert lines == list(plain.columns) == list(shown.columns)
        assert len(shown.figure["data"]) > len(lines)
