"""Process: a program that a page starts and polls; it ends when the page stops polling.

A page that is left or reloaded stops polling, so no program continues for nobody. At most
two run at once, over all visitors; the others wait for their turn.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from dynamics.core.machine.files import environment

ROOT = Path(__file__).parents[3]
MOST_AT_ONCE = 2
PACE = 0.5  # seconds between two polls of a page
LEFT = 10  # seconds without a poll after which a process ends
_TURN = threading.BoundedSemaphore(MOST_AT_ONCE)


class Process:
    """A command with a temporary folder of its own, which is deleted with the Process.

    Args:
        command: the program and its arguments; ``{}`` in one stands for the folder.
        files: texts of the files that the folder holds at first, by file name.
        place: working directory; None for the folder.
    """

    def __init__(
        self, command: Sequence[str], files: Mapping[str, str], place: Path | None = ROOT
    ) -> None:
        self._held = tempfile.TemporaryDirectory(prefix="dln-page-")
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
        while not _TURN.acquire(timeout=0.1):
            if self._unwanted():
                return
        try:
            self._run()
        finally:
            _TURN.release()

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


def held(name: str, job: str, command: Sequence[str], files: Mapping[str, str],
         place: Path | None = ROOT) -> Process:  # fmt: skip
    """This visitor's process under a name; a new one if its job has changed."""
    key = f"process {name}"
    before: tuple[str, Process] | None = st.session_state.get(key)
    if before and before[0] == job:
        return before[1]
    if before:
        before[1].end()
    process = Process(command, files, place)
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
