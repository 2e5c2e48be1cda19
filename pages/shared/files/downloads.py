"""Downloads: files that a click makes, and the menu with a run's data as files.

Streamlit's own buttons for such files forget, at every run of the page's script, what they would
make: a click that comes before the browser has the new buttons is lost, as is the first one after a
restart. Here a click is a click like any other. It leaves the file in the session, and the browser
is told of it in every run of the script, until there is a newer one.
"""

import functools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.runtime import get_instance

from dynamics.core.config import ConfigError
from dynamics.core.machine import files
from dynamics.export import completed, export, script
from dynamics.export.formats import COMPLETED, DATA, FORMATS, PROGRAMS
from dynamics.runs.run import Run, RunError
from pages.shared.files import check
from pages.shared.live.routes import beneath
from pages.shared.session import opened

MADE = "made file"  # session key
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


def button(
    label: str,
    make: Callable[[], bytes],
    name: str,
    form: str,
    icon: str | None = None,
    width: Literal["content", "stretch"] = "content",
) -> None:
    """A button that saves a file of a format, which is made when the button is pressed.

    Args:
        label: the words on the button.
        make: returns the file; a refusal that it raises is told in one sentence.
        name: the file's name without its ending.
        form: one of ``FORMATS``.
        icon, width: as of ``st.button``.
    """
    about = FORMATS[form]
    full = f"{name}.{about.ending}"
    key = f"save {label} {full}"
    args = (make, full, about.mime)
    st.button(label, on_click=_make, args=args, key=key, icon=icon, width=width)


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
        media = get_instance().media_file_mgr
        url = media.add(content, mime, file, name, is_for_static_download=True)
        st.session_state[MADE] = Made(file, beneath(url), name)
        return
    st.session_state[MADE] = sentence


def hand_over() -> None:
    """Give the browser the file that the newest click has made, or say why there is none."""
    made = st.session_state.get(MADE)
    with st.container(key="made"):
        if isinstance(made, Made):
            _save(key="save", data=vars(made))
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
                make = functools.partial(export.export, run, name)
                button(label, make, f"run-{run.key}", name, width="stretch")
        for name in COMPLETED if not completed.refusal(run) else ():
            make = functools.partial(completed.content, run, name)
            button(FORMATS[name].label, make, f"completed-{run.key}", name, width="stretch")
        if refused:
            st.caption(refused)
            return
        pressed = st.button("Check the script", width="stretch", help="Train the run again with it")
        if opened.asked(f"check {run.key}", pressed):
            check.dialog(run)
