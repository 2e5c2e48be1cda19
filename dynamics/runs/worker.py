"""Worker: ``python -m dynamics.runs.worker RUN`` trains one run and appends to its folder.

A process of its own, so that a page may be refreshed, a server restarted and a run cancelled
without one harming the other. Waiting costs little: torch is imported once it is the run's turn.
"""

import contextlib
import dataclasses
import math
import os
import shutil
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.core.records import Array, Layout, Record
from dynamics.data.folder import DataError
from dynamics.findings.outcomes import DIVERGED, Outcome
from dynamics.runs.queue import turn
from dynamics.runs.run import CANCEL, PAUSE, Run, RunError

if TYPE_CHECKING:
    from dynamics.core.config import Config
    from dynamics.engine.training.comparison import Comparison
    from dynamics.runs.checkpoints import Checkpoints


TELL_EVERY = 0.1  # seconds between two status files
PACE_OVER = 3.0  # seconds of training over which the steps a second are told
NICENESS = 5  # the page must stay quick while this trains


class CancelledError(Exception):
    """The user has asked for the end."""


class Pace:
    """Steps a second over the last seconds, from one record to another.

    Between two records of a slow run many seconds pass in which nothing has been recorded.
    """

    def __init__(self, now: float, step: int) -> None:
        self._noted = deque([(now, step)])

    def note(self, now: float, step: int) -> None:
        """A record has come."""
        self._noted.append((now, step))
        while now - self._noted[1][0] > PACE_OVER:
            self._noted.popleft()

    @property
    def rate(self) -> float:
        """Steps a second; 0 before the first record."""
        (began, first), (ended, last) = self._noted[0], self._noted[-1]
        return (last - first) / (ended - began) if ended > began else 0.0


class Worker:
    """One run on its way from queued to its last word."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.status = dataclasses.replace(run.status, pid=os.getpid())
        self._telling = threading.Lock()
        self._told = 0.0  # when the last status was written
        self._pace = Pace(0.0, 0)
        self._records: Iterator[dict[str, Record] | None] | None = None
        self._layout: Layout | None = None
        self._checkpoints: Checkpoints | None = None
        self._last: dict[str, Record] = {}
        self._mapped: dict[str, Array] = {}  # the newest map of each network
        self._number = 0  # of the next record

    def work(self) -> None:
        """Wait for a turn, train, and start over waiting after each pause."""
        since = self.status.created
        try:
            while True:
                self.tell(phase="queued", message="")
                with turn(self.run.folder, since, self._patience):
                    paused = self._train()
                if not paused:
                    return
                self._wait()
                since = time.time()
        except CancelledError:
            self._keep()
            self.tell(phase="cancelled", message="")
        except (DataError, RunError, ValueError, MemoryError) as error:
            self.tell(phase="failed", message=str(error))
        except OSError as error:
            place = error.filename or "its folder"
            self.tell(phase="failed", message=f"{place} cannot be used: {error.strerror}.")
        except Exception as error:
            traceback.print_exc()
            self.tell(phase="failed", message=_explained(error))

    def tell(self, **changes: Any) -> None:
        """Replace the status that everybody reads."""
        with self._telling:
            self._write(**changes)

    def _write(self, **changes: Any) -> None:
        self.status = dataclasses.replace(self.status, **changes)
        self.run.write("status.json", dataclasses.asdict(self.status))
        self._told = time.monotonic()

    def _train(self) -> bool:
        """Train until the end (False) or until asked to pause (True)."""
        self.tell(phase="running", message="starting")
        if self._records is None:
            self._records = self._prepared()
        self.tell(message="")
        self._pace = Pace(time.monotonic(), self.status.step)
        with open(self.run.folder / "records.f8", "ab", buffering=0) as file:
            for records in self._records:
                if records:
                    file.write(self._row(records))
                    self._map(records)
                    self._note(records)
                    self._pace.note(time.monotonic(), self.status.step)
                    self._offer(records)
                self._heartbeat()
                if self.run.asked() == PAUSE:
                    self._keep()
                    self.tell(phase="paused", message="")
                    return True
        self._keep()
        self._finish()
        return False

    def _prepared(self) -> Iterator[dict[str, Record] | None]:
        config = self.run.config
        with self._ends_when_cancelled():
            # Not before: this import takes a second and 200 MB.
            from dynamics.engine import device
            from dynamics.engine.training.comparison import fetch, prepare
            from dynamics.findings.failures import Signatures
            from dynamics.runs import checkpoints

        fetch(config, self._report)  # this hears a cancellation itself, and tidies up
        with self._ends_when_cancelled():
            self.tell(message="preparing")
            device.use_threads(config)
            comparison = prepare(config)
        self.tell(machine=device.told(config))
        self._comparison: Comparison = comparison
        self._watch = Signatures(config, comparison.facts)
        self._checkpoints = checkpoints.Checkpoints(self.run)
        return comparison.going_on(self._taken_over(checkpoints.resume))

    def _taken_over(
        self, resume: "Callable[[Run, Config], tuple[dict[str, Record], Array]]"
    ) -> dict[str, Record]:
        """What an earlier worker, or the run that this one goes on from, has done already.

        Gives its last records so far.
        """
        origin = self.run.origin
        # Asked to end, it is about to keep its last moment.
        while origin and origin.asked() == CANCEL and origin.status.live:
            self._patience()
            time.sleep(0.02)
        source: Run | None = self.run
        while source:
            with contextlib.suppress(RunError):  # what is damaged is trained again
                since, rows = resume(source, self.run.config)
                if since:
                    self._take(source, rows)
                    return since
            if source == self.run:
                self._clear()
            source = source.origin
        return {}

    def _clear(self) -> None:
        """Leave nothing of an earlier worker; whoever looks on starts over, too."""
        if not (self.run.folder / "records.f8").exists():
            return
        for name in ("records.f8", "maps.f2", "layout.json"):
            (self.run.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.run.folder / "checkpoints", ignore_errors=True)
        self.tell(created=time.time(), step=0)

    def _take(self, origin: Run, rows: Array) -> None:
        self._layout = Layout(origin.layout.shapes, self._comparison.facts)
        self.run.write("layout.json", self._layout.to_dict())
        aside = self.run.folder / ".records"
        aside.write_bytes(rows.astype("<f8").tobytes())
        aside.replace(self.run.folder / "records.f8")
        for row in rows:
            self._note(self._layout.records(row))
        self._take_maps(origin, rows)

    def _take_maps(self, origin: Run, rows: Array) -> None:
        from dynamics.runs import maps

        names, self._number = list(self._layout.shapes if self._layout else ()), len(rows)
        if len(rows):
            cells = maps.carried_over(origin, self.run, float(rows[-1, 0]), len(names))
            self._mapped = dict(zip(names, cells, strict=False))

    def _offer(self, records: dict[str, Record]) -> None:
        assert self._checkpoints
        self._last = records
        self._checkpoints.offer(records)

    def _keep(self) -> None:
        """Keep the moment of the last records, as another run may be made to go on from it."""
        if self._checkpoints and self._last:
            self._checkpoints.keep(self._last)

    @contextlib.contextmanager
    def _ends_when_cancelled(self) -> Iterator[None]:
        """While one long computation prepares the run, a thread hears what the user asks."""
        over = threading.Event()

        def listen() -> None:
            while not over.wait(TELL_EVERY / 2):
                if self.run.asked() == CANCEL:
                    with self._telling:
                        self._write(phase="cancelled", message="")
                        os._exit(0)  # a tidy end would wait for the computation

        threading.Thread(target=listen, daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def _row(self, records: dict[str, Record]) -> bytes:
        if self._layout is None:
            self._layout = Layout.of(records, self._comparison.facts)
            self.run.write("layout.json", self._layout.to_dict())
        return self._layout.row(records).astype("<f8").tobytes()

    def _map(self, records: dict[str, Record]) -> None:
        """Append the networks' maps; a network that has ended keeps its last one."""
        from dynamics.core.cells import due, halves, packed, shape
        from dynamics.engine.measuring.cells import of_goal

        assert self._layout is not None
        goal = self.run.folder / "goal.f2"
        if not goal.exists():
            wanted = of_goal(self._comparison.problem)
            goal.write_bytes(halves(wanted.cpu().double().numpy()))
        unknown = np.full(shape(self.run.config), np.nan)
        for name in self._layout.shapes:
            cells = records[name].cells if name in records else self._mapped.get(name)
            self._mapped[name] = unknown if cells is None else cells
        if due(self.run.config, self._number, records):
            step = max(record.step for record in records.values())
            with open(self.run.folder / "maps.f2", "ab") as file:
                file.write(packed(step, [self._mapped[name] for name in self._layout.shapes]))
        self._number += 1

    def _note(self, records: dict[str, Record]) -> None:
        """Take step, outcomes and signatures of failure into the status."""
        ended = {name: Outcome.of(record) for name, record in records.items()}
        outcomes = self.status.outcomes | {name: each for name, each in ended.items() if each}
        step = max(record.step for record in records.values())
        there = {name: each for name, each in records.items() if math.isfinite(each.seconds)}
        seen = [{"step": each.step, "sentence": each.sentence} for each in self._watch.see(there)]
        self.status = dataclasses.replace(
            self.status, step=step, outcomes=outcomes, signatures=self.status.signatures + seen
        )

    def _heartbeat(self) -> None:
        if self.run.asked() == CANCEL:
            raise CancelledError
        if time.monotonic() - self._told >= TELL_EVERY:
            self.tell(rate=self._pace.rate or self.status.rate)

    def _finish(self) -> None:
        diverged = any(each.kind == DIVERGED for each in self.status.outcomes.values())
        self.tell(phase="diverged" if diverged else "done", message="")

    def _patience(self) -> None:
        if self.run.asked() == CANCEL:
            raise CancelledError

    def _report(self, words: str) -> None:
        self._patience()
        self.tell(message=words)

    def _wait(self) -> None:
        while self.run.asked() == PAUSE:
            time.sleep(0.05)
        self._patience()


def _explained(error: Exception) -> str:
    """A sentence for what nobody foresaw; the whole story is in the run's log."""
    if "allocate memory" in str(error) or "out of memory" in str(error):
        return "The machine ran out of memory; a smaller matrix or fewer measurements would fit."
    return (
        f"It ended unexpectedly ({type(error).__name__}: {error}); log.txt in its folder has more."
    )


def main() -> None:
    """Train the run whose folder is the only argument."""
    os.nice(NICENESS)
    Worker(Run(Path(sys.argv[1]))).work()


if __name__ == "__main__":
    main()
