"""Downloads: a run's data as files."""

import streamlit as st

from dynamics.export import export, formats, script
from dynamics.runs.run import Run
from pages.shared.files import check

MIME = {
    "csv": "text/csv",
    "npz": "application/octet-stream",
    "json": "application/json",
    "html": "text/html",
    "zip": "application/zip",
    "script": "text/x-python",
    "notebook": "application/x-ipynb+json",
}


def downloads(run: Run) -> None:
    """A menu of files with all numbers of a run; each is made when it is asked for."""
    with st.popover("Export", icon=":material/download:", help="All numbers of this run"):
        refused = script.refusal(run)
        without = formats.ENDINGS if refused else {}  # a program, and a notebook of it
        for form in (form for form in export.FORMATS if form not in without):
            st.download_button(
                form.capitalize() if form in formats.ENDINGS else form.upper(),
                data=lambda form=form: export.export(run, form),
                file_name=f"run-{run.key}.{formats.ENDINGS.get(form, form)}",
                mime=MIME[form],
                on_click="ignore",
                width="stretch",
                key=f"download {form}",
            )
        if refused:
            st.caption(refused)
        elif st.button("Check the script", width="stretch", help="Train the run again by it"):
            check.dialog(run)
