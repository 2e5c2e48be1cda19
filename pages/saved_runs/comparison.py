"""Comparison: a chart of several saved runs."""

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.description import labels
from dynamics.core.records import Trajectory
from dynamics.draw.chart import compared
from dynamics.export import tables
from dynamics.export.formats import FORMATS
from dynamics.runs.run import Run
from dynamics.theory.course import beside
from pages.shared.files import dialog
from pages.shared.plotted import plotted


def comparison(chosen: list[tuple[Run, Config]], series: str, versus: str) -> None:
    """A chart of one series of the chosen runs, and its data to take away."""
    named = labels([config for _, config in chosen])
    drawn = [
        (label, beside(config, run.trajectories) if versus == "normalised" else run.trajectories)
        for label, (run, config) in zip(named, chosen, strict=True)
    ]
    figure = compared(drawn, series, versus)
    if not figure.data and versus == "normalised":
        st.info("Theory foresees no escape in these runs, so there is no normalised time.")
        return
    if not figure.data:
        st.info(f"None of these runs has a {series.replace('_', ' ')}.")
        return
    name = f"{series}_{'_'.join(run.key for run, _ in chosen)}"[:120]
    plotted(figure, "comparison", name)
    st.caption("A colour for each run; solid the original network, dashed the compressed one.")
    with st.container(horizontal=True):
        if st.button("For a paper or talk …", icon=":material/image:"):
            dialog.dialog(dialog.of_runs([run.key for run, _ in chosen], series, versus))
        st.download_button(
            "Data of this chart (CSV)",
            icon=":material/download:",
            data=lambda: _csv(drawn, series),
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


def _csv(drawn: list[tuple[str, list[Trajectory]]], series: str) -> bytes:
    import pandas as pd

    columns = ["network", "step", "seconds", "operations", series]
    frames = [
        tables.table(trajectories).reindex(columns=columns).assign(run=label)
        for label, trajectories in drawn
    ]
    return pd.concat(frames).to_csv(index=False).encode()
