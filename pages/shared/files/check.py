"""Checking: the reproduction script of a run, run before the viewer's eyes."""

import re
import sys

import streamlit as st

from dynamics.export import script
from dynamics.export.formats import FORMATS
from dynamics.runs.run import Run, RunError
from pages.shared.files.process import PACE, Process, forget_ended, held

STEP = re.compile(r"^(\S+): step ([\d,]+) of ([\d,]+)$", re.MULTILINE)


@st.dialog("Check the script", width="large")
def dialog(run: Run) -> None:
    """Run it in a process that knows nothing of this program; show whether the numbers agree."""
    try:
        text = script.script(run)
    except RunError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.caption(
        "One Python file, torch and NumPy alone, trains this run again from its seeds, by plain "
        "steps on whole matrices, and compares what comes out with what was recorded."
    )
    forget_ended("check")
    st.fragment(_result, run_every=PACE)(run, text)


def _result(run: Run, text: str) -> None:
    """The progress of the training, or what came out."""
    command = [sys.executable, "-I", "again.py"]
    process = held("check", text, command, {"again.py": text}, place=None)
    seconds = process.look()
    if not process.over and not process.ended:
        st.progress(*_progress(process, len(run.config.networks), seconds))
        if st.button("Cancel", icon=":material/stop:"):
            process.end()
        return
    if process.ended:
        st.info("Cancelled; close this and open it again to start over.")
        return
    _tell(process.text("said") or process.text("errors"), process.status)
    st.download_button(
        "Save the script",
        icon=":material/download:",
        data=text,
        file_name=f"run-{run.key}.py",
        mime=FORMATS["script"].mime,
        on_click="ignore",
    )


def _progress(process: Process, networks: int, seconds: float) -> tuple[float, str]:
    done = STEP.findall(process.text("said"))
    share, words = 0.0, "starting"
    if done:
        network, step, last = done[-1]
        before = len({each for each, *_ in done}) - 1
        share = (before + _whole(step) / max(_whole(last), 1)) / networks
        words = f"{network.replace('_', ' ')}, step {step} of {last}"
    return min(share, 1.0), f"Training again: {words}, {seconds:.0f} s"


def _whole(text: str) -> int:
    return int(text.replace(",", ""))


def _tell(said: str, status: int | None) -> None:
    lines = [line for line in said.splitlines() if not STEP.match(line)]
    if status == 0:
        st.success("Every number agrees.", icon=":material/check_circle:")
    elif any("DIFFERS" in line for line in lines):
        st.warning("Some numbers differ.", icon=":material/difference:")
    else:
        st.error("The script could not be run here.", icon=":material/error:")
    st.code("\n".join(lines), language=None, wrap_lines=True)
