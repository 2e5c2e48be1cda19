"""Worker: ``python -m dynamics.runs.worker RUN`` trains one run and appends to its folder.

A worker is a separate process, so that refreshing a page, restarting the server or cancelling a run
harms nothing else. One that waits itself costs little: torch is imported only when it is its turn.
"""

import contextlib
import dataclasses
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Mapping
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from dynamics.core.machine import files, memory
from dynamics.core.records import Record
from dynamics.core.words import size
from dynamics.data.folder import DataError
from dynamics.findings.outcomes import DIVERGED, Outcome
from dynamics.runs import limits
from dynamics.runs.limits import LimitError
from dynamics.runs.queue import turn
from dynamics.runs.run import CANCEL, PAUSE, Run, RunError

if TYPE_CHECKING:
    from dynamics.engine.measuring.moment import Resumable
    from dynamics.runs.writer import Writer

TELL_EVERY = 0.1  # seconds between two writings of ``status.json``
PACE_OVER = 3.0  # seconds of training over which the pace is averaged
SPARE = 65_536  # bytes kept for the last message on a disk that is full
NICENESS = 5  # lowers the process's priority: the web app must stay quick while a worker trains


class CancelledError(Exception):
    """The user has cancelled the run."""


class Pace:
    """Steps a second over the last seconds, always measured from one record to another.

    A slow run has many seconds between two records, and its steps are counted only at a record.
    """

    def __init__(self, now: float, step: int) -> None:
        self._records = deque([(now, step)])

    def note(self, now: float, step: int) -> None:
        """Count the record of ``step``, made at ``now`` seconds of any clock."""
        self._records.append((now, step))
        while now - self._records[1][0] > PACE_OVER:
            self._records.popleft()

    @property
    def rate(self) -> float:
        """Steps a second; 0 before the first record."""
        began, first = self._records[0]
        ended, last = self._records[-1]
        return (last - first) / (ended - began) if ended > began else 0.0


class Worker:
    """One run from the queue to its end: its process, its status and its control.

    Args:
        run: the run.
        place: of the queue, if the launcher has waited for one; else the worker waits itself.
    """

    def __init__(self, run: Run, place: IO[str] | None = None) -> None:
        self.run = run
        self._place = place
        self.status = dataclasses.replace(run.status, pid=os.getpid())
        self._telling = threading.Lock()
        self._last_status = 0.0  # when the last status was written, in monotonic seconds
        self._pace = Pace(0.0, 0)
        self._writer: Writer | None = None
        self._spare = run.folder / ".spare"  # kept for the last words on a disk that is full
        self._records: Iterator[dict[str, Resumable] | None] | None = None

    def work(self) -> None:
        """Wait for a turn, train, and wait again after each pause."""
        since = self.status.created
        try:
            while True:
                with self._turn(since):
                    paused = self._train()
                if not paused:
                    return
                self._wait()
                since = time.time()
        except CancelledError:
            self._keep()
            self._spare.unlink(missing_ok=True)
            self.tell(phase="cancelled", message="")
        except LimitError as error:
            self._keep()
            self._fail(str(error))
        except (DataError, RunError, ValueError) as error:
            self._fail(str(error))
        except OSError as error:
            lacking = memory.lacking(error)
            self._fail(_explained(error) if lacking else self._refused(error))
        except Exception as error:
            traceback.print_exc()
            self._fail(_explained(error))
        finally:
            self._spare.unlink(missing_ok=True)

    def _turn(self, since: float) -> contextlib.AbstractContextManager[object]:
        """The place that the worker has from its start, once; else the wait for one."""
        place, self._place = self._place, None
        if place:
            return place
        self.tell(phase="queued", message="")
        return turn(self.run.folder, since, self._raise_if_cancelled)

    def _fail(self, message: str) -> None:
        self._spare.unlink(missing_ok=True)  # room for the message, if the disk is full
        self.tell(phase="failed", message=message)

    def _refused(self, error: OSError) -> str:
        """What the system refused, and what is kept."""
        what = files.refusal(error, self.run.folder)
        if error.errno == EFBIG and limits.of_worker(self.run).bytes:
            most = size(limits.of_worker(self.run).bytes)
            what = f"A file of a run may have {most} here ({limits.IN_TOML})."
            return f"{what} All records up to step {self.status.step:,} are kept."
        kept = f" All records up to step {self.status.step:,} are kept;" if self.status.step else ""
        if error.errno in (ENOSPC, EDQUOT, EFBIG):
            return f"{what}{kept or ' Nothing is lost;'} free some space, then start the run again."
        return f"{what}{kept} start the run again once that is mended." if kept else what

    def tell(self, **changes: Any) -> None:
        """Change these fields of the status and write ``status.json``."""
        with self._telling:
            self._write(**changes)

    def _write(self, **changes: Any) -> None:
        self.status = dataclasses.replace(self.status, **changes)
        self.run.write("status.json", dataclasses.asdict(self.status))
        self._last_status = time.monotonic()

    def _train(self) -> bool:
        """Train until the run ends or is asked to pause; returns whether it was asked to pause."""
        self.tell(phase="running", message="starting")
        self._spare.write_bytes(os.urandom(SPARE))
        if self._writer is None or self._records is None:
            self._writer, self._records = self._prepared()
        self.tell(message="")
        self._pace = Pace(time.monotonic(), self.status.step)
        for records in self._records:
            if records:
                self._writer.write(records)
                self._note(records)
                self._pace.note(time.monotonic(), self.status.step)
            self._heartbeat()
            if self.run.asked() == PAUSE:
                self._keep()
                self.tell(phase="paused", message="")
                return True
        self._keep()
        self._seek_rounding()
        self._finish()
        return False

    def _prepared(self) -> "tuple[Writer, Iterator[dict[str, Resumable] | None]]":
        """The writer and the records to come, after the records of an earlier worker."""
        config = self.run.config
        with self._ends_when_cancelled():
            memory.check()
            # Imported late, because torch takes a second and 200 MB.
            from dynamics.engine import device
            from dynamics.engine.training.comparison import fetch, prepare
            from dynamics.findings.failures import Watch
            from dynamics.runs.writer import Writer

        fetch(config, self._report)  # ``fetch`` looks for a cancellation itself, and tidies up
        with self._ends_when_cancelled():
            self.tell(message="preparing")
            comparison = prepare(config)
        self.tell(machine=device.told(config))
        self._watch = Watch(config, comparison.facts)
        writer = Writer(self.run, config, comparison)
        return writer, comparison.resumed(self._taken_over(writer))

    def _taken_over(self, writer: "Writer") -> "dict[str, Resumable]":
        """The moment from which training continues; empty if training starts at step 0.

        It comes from an earlier worker on this run, or from the run that this one continues. The
        records before it are written and noted.
        """
        self._wait_for_origin()
        source: Run | None = self.run
        while source:
            with contextlib.suppress(RunError):  # a damaged source is trained again
                moment, before = writer.take_over(source)
                for records in before:
                    self._note(records)
                if moment:
                    return moment
            if source == self.run and writer.clear():
                self.tell(created=time.time(), step=0)  # pages that watch the run start over, too
            source = source.origin
        return {}

    def _wait_for_origin(self) -> None:
        """Wait until an origin that was asked to end has kept its last moment."""
        origin = self.run.origin
        while origin and origin.asked() == CANCEL and origin.status.live:
            self._raise_if_cancelled()
            time.sleep(0.02)

    def _keep(self) -> None:
        if self._writer:
            self._writer.keep()

    @contextlib.contextmanager
    def _ends_when_cancelled(self) -> Iterator[None]:
        """Inside the block, a thread ends the process when the user cancels the run.

        The block is one long computation, which cannot look for a cancellation itself.
        """
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

    def _note(self, records: Mapping[str, Record]) -> None:
        """Put the step, the outcomes and the failures that stand now into the status."""
        new_outcomes = {name: Outcome.of(record) for name, record in records.items()}
        outcomes = self.status.outcomes | {
            name: outcome for name, outcome in new_outcomes.items() if outcome
        }
        step = max(record.step for record in records.values())
        standing = [vars(failure) for failure in self._watch.see(records)]
        self.status = dataclasses.replace(
            self.status,
            step=step,
            outcomes=outcomes,
            signatures=standing,
        )

    def _seek_rounding(self) -> None:
        """Find until which step the numbers are reproducible, where a second training is cheap.

        A cancellation ends this alone: the run is complete.
        """
        from dynamics.engine.training import twin
        from dynamics.findings.rounding import Parting

        config = self.run.config
        recorded = {each.network: each for each in self.run.trajectories if len(each.steps)}
        if any(twin.affordable(config, name, recorded) for name in recorded):
            self.tell(message="checking where rounding decides")
        # The run is complete whatever becomes of its check: its twin may diverge alone.
        with contextlib.suppress(CancelledError, MemoryError, RuntimeError):
            compared = twin.compared(config, recorded, self._raise_if_cancelled)
            rounding = [Parting.of(config, name, *found) for name, found in compared.items()]
            self.status = dataclasses.replace(self.status, rounding=rounding)

    def _heartbeat(self) -> None:
        self._raise_if_cancelled()
        if time.monotonic() - self._last_status >= TELL_EVERY:
            self.tell(rate=self._pace.rate or self.status.rate)

    def _finish(self) -> None:
        self._spare.unlink(missing_ok=True)  # a folder is whole once it says that it ended
        diverged = any(outcome.kind == DIVERGED for outcome in self.status.outcomes.values())
        self.tell(phase="diverged" if diverged else "done", message="")

    def _raise_if_cancelled(self) -> None:
        if self.run.asked() == CANCEL:
            raise CancelledError

    def _report(self, words: str) -> None:
        self._raise_if_cancelled()
        self.tell(message=words)

    def _wait(self) -> None:
        while self.run.asked() == PAUSE:
            time.sleep(0.05)
        self._raise_if_cancelled()


def _explained(error: Exception) -> str:
    """A sentence for an unforeseen error; the run's log has its traceback."""
    if isinstance(error, MemoryError) and str(error).endswith("."):
        return str(error)  # the program's own sentence, which names what it needs
    if isinstance(error, ImportError) and memory.lacking(error):
        return memory.NEED
    if memory.lacking(error) and (bound := limits.bound()):
        return f"A run may take {bound}; a smaller matrix or fewer measurements would fit."
    if memory.lacking(error):
        return "The machine ran out of memory; a smaller matrix or fewer measurements would fit."
    what = f"{type(error).__name__}: {error}"
    return f"The run ended unexpectedly ({what}); log.txt in its folder has more."


def lower_session() -> None:
    """Lower the priority of this session, between which Linux may divide time."""
    with contextlib.suppress(OSError):  # where it does not, there is no such file
        Path("/proc/self/autogroup").write_text(str(NICENESS), encoding="ascii")


def train(folder: Path, place: IO[str] | None = None) -> None:
    """Train the run in this folder: all that the process is for; ``place`` as of a Worker."""
    os.nice(NICENESS)
    lower_session()
    run = Run(folder)
    limits.bind(limits.of_worker(run))
    Worker(run, place).work()


if __name__ == "__main__":
    train(Path(sys.argv[1]))
