"""Files: a sweep's chart and numbers, the link to it, and the command that makes it again."""

import streamlit as st

from dynamics.core.sweep import Sweep
from dynamics.draw.sweep import draw
from dynamics.export import sweeps
from dynamics.export.formats import FORMATS
from dynamics.runs.sweep import Progress
from pages.shared.files import dialog, making
from pages.shared.files.downloads import button
from pages.sweeps.asked import Asked
from pages.sweeps.chart import forecast_of
from pages.sweeps.choices import link


def show(sweep: Sweep, asked: Asked, now: Progress) -> None:
    """Buttons for the chart and for all runs, a link, and the command."""
    results, name = now.results, f"sweep-{sweep.key}"
    with st.container(horizontal=True, vertical_alignment="center"):
        if now.values:
            figure = draw(results, lines=asked.lines, theory=forecast_of(sweep))
            dialog.button(figure, sweeps.about(results), name)
            for form in sweeps.NUMBERS:
                job = making.sweep(sweep.key, form)
                button(FORMATS[form].label, job, name, form, icon=":material/download:")
        with st.popover("Link", icon=":material/link:", help="Copy a link to this sweep"):
            st.caption("Opens this page with exactly this sweep; it starts nothing.")
            st.code(link(sweep, asked), language=None, wrap_lines=True)
        with st.popover("In a shell", icon=":material/terminal:"):
            st.caption("Trains the same sweep from the command line.")
            st.code(sweep.command, language=None, wrap_lines=True)
