"""Downloads: files that a click makes, and the menu with a run's data as files.

A run may have more records than this process may hold, so another one makes the file: see
``making``. The page shows how far it is, and the browser then fetches it from the disk.

Streamlit's own buttons for such files forget, at every run of the page's script, what they would
make: a click that comes before the browser has the new buttons is lost, as is the first one after a
restart. Here a click is a click like any other. It leaves the file in the session, and the browser
is told of it in every run of the script, until there is a newer one.
"""

import json
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.runtime import get_instance

from dynamics.core.config import ConfigError
from dynamics.core.machine import files
from dynamics.core.words import size as size_of
from dynamics.export import completed, script
from dynamics.export.formats import COMPLETED, DATA, FORMATS, PROGRAMS
from dynamics.runs.run import Run, RunError
from pages.shared.files import check, making, media
from pages.shared.files.making import Job
from pages.shared.files.process import PACE, Process
from pages.shared.live.routes import beneath
from pages.shared.session import opened

MADE = "made file"  # session key
MAKING = "file in the making"  # session key
PATIENCE = 900  # seconds that a file may take
_SAVE = """
const saved = (window.dlnSaved ??= new Set());
export default ({ data: { file, url, name } }) => {
  if (saved.has(file)) return;
  saved.add(file);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
};
"""
_save = st.components.v2.component("dln_save", js=_SAVE)


@dataclass(frozen=True)
class Made:
    """A file that a click has made.

    Attributes:
        file: a name of its own, under which the browser saves it once.
        url: its address.
        name: the file's name.
    """

    file: str
    url: str
    name: str


@dataclass(frozen=True)
class Making:
    """A file that a process is making, and its name."""

    process: Process
    name: str


def button(
    label: str,
    job: Job | Callable[[], bytes],
    name: str,
    form: str,
    icon: str | None = None,
    width: Literal["content", "stretch"] = "content",
) -> None:
    """A button that saves a file of a format, which is made when the button is pressed.

    Args:
        label: the words on the button.
        job: what a process is asked to make, one of ``making``; or what returns a short file at
            once. A refusal is told in one sentence.
        name: the file's name without its ending.
        form: one of ``FORMATS``.
        icon, width: as of ``st.button``.
    """
    about = FORMATS[form]
    full = f"{media.STRANGE.sub('-', name)}.{about.ending}"
    key = f"save {label} {full}"
    if callable(job):
        st.button(
            label, on_click=_make, args=(job, full, about.mime), key=key, icon=icon, width=width
        )
    else:
        st.button(label, on_click=_start, args=(job, full), key=key, icon=icon, width=width)


def _make(make: Callable[[], bytes], name: str, mime: str) -> None:
    st.session_state.pop(MADE, None)
    try:
        content = make()
    except (RunError, ConfigError) as error:
        sentence = str(error)
    except OSError as error:
        sentence = f"The file cannot be made: {files.refusal(error, name)}"
    except MemoryError:
        sentence = f"{name} needs more memory than this machine has left."
    else:
        file = uuid.uuid4().hex
        manager = get_instance().media_file_mgr
        url = manager.add(content, mime, file, name, is_for_static_download=True)
        st.session_state[MADE] = Made(file, beneath(url), name)
        return
    st.session_state[MADE] = sentence


def _start(job: Job, name: str) -> None:
    """Start the process that makes a file, in place of one that makes another."""
    _forget()
    st.session_state.pop(MADE, None)
    command = [sys.executable, "-m", "pages.shared.files.making", "{}/made"]
    try:
        process = Process(command, {"given": json.dumps(job)}, beside=media.place())
    except OSError as error:
        st.session_state[MADE] = f"The file cannot be made: {files.refusal(error, name)}"
        return
    st.session_state[MAKING] = Making(process, name)


def _forget() -> None:
    """End the process that makes a file, if there is one."""
    if now := st.session_state.pop(MAKING, None):
        now.process.end()


def _progress() -> None:
    """How far the file is; once it is made, the page runs again and hands it over."""
    now: Making | None = st.session_state.get(MAKING)
    if now is None:  # cancelled
        st.rerun()
    seconds = now.process.look()
    if now.process.over or now.process.ended or seconds > PATIENCE:
        st.session_state[MADE] = _made(now)
        _forget()
        st.rerun()
    made = now.process.folder / "made"
    written = made.stat().st_size if made.exists() else 0
    words = f"Making {now.name}, {seconds:.0f} s"
    if before := now.process.before:
        words = f"{now.name} waits for {before} other file{'s' * (before > 1)}"
    st.caption(f"{words}, {size_of(written)}" if written else words)
    st.button("Cancel", on_click=_forget, icon=":material/stop:", key="cancel file")


def _made(now: Making) -> Made | str:
    """The file that a process has made, or why there is none."""
    process = now.process
    if not process.over and not process.ended:
        return f"{now.name} was ended, because it took more than {PATIENCE // 60} minutes."
    if process.status == 0:
        try:
            token = media.keep(process.folder / "made")
        except OSError as error:
            return f"The file cannot be made: {files.refusal(error, now.name)}"
        return Made(token, beneath(media.address(token, now.name)), now.name)
    told = process.text("errors").strip().splitlines()
    if process.status == 2 and told:
        return told[-1]
    return f"{now.name} could not be made; the machine may lack memory."


def hand_over() -> None:
    """Give the browser the file that the newest click has made, or say why there is none."""
    made = st.session_state.get(MADE)
    with st.container(key="made"):
        if isinstance(made, Made):
            _save(key="save", data=vars(made))
    if MAKING in st.session_state:
        with st.container(key="making", horizontal=True, vertical_alignment="center"):
            st.fragment(_progress, run_every=PACE)()
    if isinstance(made, str):
        st.toast(st.session_state.pop(MADE), icon=":material/error:", duration="long")


def downloads(run: Run) -> None:
    """A menu of files with all numbers of a run; a click makes the file."""
    with st.popover(
        "Export",
        icon=":material/download:",
        key="export",
        on_change="rerun",  # a run has its first record after the page's script has run
        help="All numbers of this run",
    ):
        if not run.layout.shapes:
            st.caption("The run has no record yet; open this again in a moment.")
            return
        refused = script.refusal(run)
        for name in DATA:
            if not (refused and name in PROGRAMS):
                label = FORMATS[name].label
                stem = f"run-{run.key}"
                job = making.numbers([run.key], name, stem if name == "zip" else "")
                button(label, job, stem, name, width="stretch")
        for name in COMPLETED if not completed.refusal(run) else ():
            job = making.completion(run.key, name)
            button(FORMATS[name].label, job, f"completed-{run.key}", name, width="stretch")
        if refused:
            st.caption(refused)
            return
        pressed = st.button("Check the script", width="stretch", help="Train the run again with it")
        if opened.asked(f"check {run.key}", pressed):
            check.dialog(run)
