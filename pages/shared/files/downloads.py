"""Downloads: a run's data as files."""

import streamlit as st

from dynamics.export import export, script
from dynamics.export.formats import DATA, FORMATS, PROGRAMS
from dynamics.runs.run import Run
from pages.shared.files import check


def downloads(run: Run) -> None:
    """A menu of files with all numbers of a run; a click makes the file."""
    with st.popover("Export", icon=":material/download:", help="All numbers of this run"):
        refused = script.refusal(run)
        for form in (FORMATS[name] for name in DATA):
            if refused and form.name in PROGRAMS:
                continue
            st.download_button(
                form.label,
                data=lambda name=form.name: export.export(run, name),
                file_name=f"run-{run.key}.{form.ending}",
                mime=form.mime,
                on_click="ignore",
                width="stretch",
                key=f"download {form.name}",
            )
        if refused:
            st.caption(refused)
        elif st.button("Check the script", width="stretch", help="Train the run again with it"):
            check.dialog(run)
