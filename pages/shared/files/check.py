"""Check: run the reproduction script of a run while the viewer watches."""

import re
import sys

import streamlit as st

from dynamics.export import script
from dynamics.export.formats import FORMATS
from dynamics.runs.run import Run, RunError
from pages.shared.files.process import PACE, Process, forget_ended, held
from pages.shared.session import opened

STEP = re.compile(r"^(\S+): step ([\d,]+) of ([\d,]+)$", re.MULTILINE)


@st.dialog("Check the script", width="large", on_dismiss=opened.close)
def dialog(run: Run) -> None:
    """Run the script in a process without this program; show whether the numbers agree."""
    opened.hold()
    try:
        text = script.script(run)
    except RunError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.caption(
        "One Python file, which needs only torch and NumPy, trains this run again from its seeds. "
        "It takes plain steps on whole matrices and compares its results with the recorded ones."
    )
    forget_ended("check")
    st.fragment(_result, run_every=PACE)(run, text)


def _result(run: Run, text: str) -> None:
    """The progress of the training, or its result."""
    command = [sys.executable, "-I", "again.py"]
    process = held("check", text, command, {"again.py": text}, place=None, kind="check")
    seconds = process.look()
    if not process.over and not process.ended:
        if before := process.before:
            other = "another visitor's check ends" if before == 1 else f"{before} other checks end"
            st.progress(0.0, f"Waiting until {other}")
        else:
            st.progress(*_progress(process, len(run.config.networks), seconds))
        if st.button("Cancel", icon=":material/stop:"):
            process.end()
        return
    if process.ended:
        st.info("Cancelled. Close this and open it again to start over.")
        return
    _show(process.text("output") or process.text("errors"), process.status)
    st.download_button(
        "Save the script",
        icon=":material/download:",
        data=text,
        file_name=f"run-{run.key}.py",
        mime=FORMATS["script"].mime,
        on_click="ignore",
    )


def _progress(process: Process, networks: int, seconds: float) -> tuple[float, str]:
    """A share from 0 to 1, and the same in words."""
    share = 0.0
    words = "starting"
    if reports := STEP.findall(process.text("output")):
        network, step, last = reports[-1]
        finished = len({name for name, *_ in reports}) - 1
        share = (finished + _whole(step) / max(_whole(last), 1)) / (2 * networks)  # with twins
        words = f"{re.sub('[_-]', ' ', network)}, step {step} of {last}"
    return min(share, 1.0), f"Training again: {words}, {seconds:.0f} s"


def _whole(text: str) -> int:
    return int(text.replace(",", ""))


def _show(output: str, status: int | None) -> None:
    """The verdict, and the script's output without its progress."""
    lines = [line for line in output.splitlines() if not STEP.match(line)]
    if status == 0 and lines[-1:] == ["Everything agrees."]:
        st.success("Every number agrees.", icon=":material/check_circle:")
    elif status == 0 and lines:
        st.info(lines[-1], icon=":material/info:")
    elif any("DIFFERS" in line for line in lines):
        st.warning("Some numbers differ.", icon=":material/difference:")
    else:
        st.error("The script could not be run here.", icon=":material/error:")
    st.code("\n".join(lines), language=None, wrap_lines=True)
