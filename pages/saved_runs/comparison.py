"""Comparison: a chart of several saved runs."""

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.description import labels
from dynamics.core.records import Trajectory
from dynamics.draw.panel import NothingToDrawError, compared
from dynamics.export import tables
from dynamics.export.formats import FORMATS
from dynamics.runs.run import Run, RunError
from pages.shared.files import dialog
from pages.shared.plotted import plotted


def comparison(chosen: list[tuple[Run, Config]], series: str, versus: str) -> None:
    """A chart of one series of the chosen runs, and its files."""
    chosen = [(run, config) for run, config in chosen if _sound(run)]
    if not chosen:
        return
    configs = [config for _, config in chosen]
    runs = [
        (label, config, run.trajectories)
        for label, (run, config) in zip(labels(configs), chosen, strict=True)
    ]
    try:
        figure = compared(runs, series, versus)
    except NothingToDrawError as error:
        st.info(str(error))
        return
    name = f"{series}_{'_'.join(run.key for run, _ in chosen)}"[:120]
    plotted(figure, "comparison", name)
    st.caption("One colour for each run. Solid: original network; dashed: compressed.")
    with st.container(horizontal=True):
        if st.button("For a paper or talk …", icon=":material/image:"):
            dialog.open_runs([run.key for run, _ in chosen], series, versus)
        st.download_button(
            "Data of this chart (CSV)",
            icon=":material/download:",
            data=lambda: _csv(runs, series),
            file_name=f"{name}.csv",
            mime=FORMATS["csv"].mime,
            on_click="ignore",
        )
        recorded = [run for run, _ in chosen if len(run.rows())]
        if len(recorded) > 1:
            st.download_button(
                "All numbers (zip)",
                icon=":material/folder_zip:",
                data=lambda: tables.bundle(recorded, name),
                file_name=f"{name}.zip",
                mime=FORMATS["zip"].mime,
                on_click="ignore",
            )


def _sound(run: Run) -> bool:
    """Whether the records of a run can be read; otherwise the page says why not."""
    try:
        run.rows()
    except RunError as error:
        st.warning(str(error), icon=":material/info:")
        return False
    return True


def _csv(runs: list[tuple[str, Config, list[Trajectory]]], series: str) -> bytes:
    """The series and its clocks, a row for each run, network and record."""
    import pandas as pd

    columns = ["network", "step", "seconds", "operations", series]
    frames = [
        tables.table(trajectories).reindex(columns=columns).assign(run=label)
        for label, _, trajectories in runs
    ]
    return pd.concat(frames).to_csv(index=False).encode()
