"""Process: a program that a page starts and polls; it ends when the page stops polling.

A page that is left or reloaded stops polling, so no program continues for nobody. A few run at
once, over all visitors; the others wait for their turn: see ``places``.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dynamics.core.machine.files import environment
from pages.shared.files.places import Kind, Places, Ticket

ROOT = Path(__file__).parents[3]
PACE = 0.5  # seconds between two polls of a page
LEFT = 10  # seconds without a poll after which a process ends
_PLACES = Places()


class Process:
    """A command with a temporary folder of its own, which is deleted with the Process.

    Args:
        command: the program and its arguments; ``{}`` in one stands for the folder.
        files: texts of the files that the folder holds at first, by file name.
        place: working directory; None for the folder.
        kind: of the places of which it takes one.
        beside: where the folder is made; None for where temporary files are.
    """

    def __init__(
        self,
        command: Sequence[str],
        files: Mapping[str, str],
        place: Path | None = ROOT,
        kind: Kind = "file",
        beside: Path | None = None,
    ) -> None:
        self.kind = kind
        self._held = tempfile.TemporaryDirectory(prefix="dln-page-", dir=beside)
        self._ticket = _ticket(kind)
        self.folder = Path(self._held.name)
        for name, text in files.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        self._command = [part.format(self.folder) for part in command]
        self._place = place or self.folder
        self.status: int | None = None
        self.ended = False  # by the user, or because nobody polled
        self._began = self._looked = time.monotonic()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def look(self) -> float:
        """Seconds since the start; the call also shows that somebody is still waiting."""
        self._looked = time.monotonic()
        return self._looked - self._began

    @property
    def before(self) -> int:
        """How many programs of other visitors have to end before this one has its turn, or fewer.

        It is 0 once the program runs.
        """
        return 0 if (self.folder / "output").exists() else _PLACES.before(self._ticket)

    @property
    def over(self) -> bool:
        """Whether the command has ended, by itself or not."""
        return not self._thread.is_alive()

    def end(self) -> None:
        """End the command now, with all processes that it has started."""
        self.ended = True

    def text(self, name: str) -> str:
        """The output so far: ``output`` or ``errors``."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / name).read_text(encoding="utf-8")
        return ""

    def _unwanted(self) -> bool:
        self.ended |= time.monotonic() - self._looked > LEFT
        return self.ended

    def _work(self) -> None:
        if not _PLACES.take(self._ticket, self._unwanted):
            return
        try:
            self._run()
        finally:
            _PLACES.leave(self._ticket)

    def _run(self) -> None:
        given = self.folder / "given"
        given.touch()
        with (
            open(given, encoding="utf-8") as source,
            open(self.folder / "output", "w", encoding="utf-8") as output,
            open(self.folder / "errors", "w", encoding="utf-8") as errors,
        ):
            process = subprocess.Popen(
                self._command,
                cwd=self._place,
                env=environment(),
                stdin=source,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        while process.poll() is None and not self._unwanted():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        self.status = process.wait()


def _ticket(kind: Kind) -> Ticket:
    """For this visitor; outside a page, for nobody in particular."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return Ticket(kind, uuid.uuid4().hex)
    return Ticket(kind, context.session_id, st.context.ip_address or "")


def held(name: str, job: str, command: Sequence[str], files: Mapping[str, str],
         place: Path | None = ROOT, kind: Kind = "file") -> Process:  # fmt: skip
    """This visitor's process under a name; a new one if its job has changed."""
    key = f"process {name}"
    before: tuple[str, Process] | None = st.session_state.get(key)
    if before and before[0] == job:
        return before[1]
    if before:
        before[1].end()
    process = Process(command, files, place, kind)
    st.session_state[key] = (job, process)
    return process


def forget(name: str) -> None:
    """Drop this visitor's process under a name, and its folder with it."""
    st.session_state.pop(f"process {name}", None)


def forget_ended(name: str) -> None:
    """Drop the process if it was ended, so that the same job can start again."""
    before: tuple[str, Process] | None = st.session_state.get(f"process {name}")
    if before and before[1].ended:
        forget(name)
