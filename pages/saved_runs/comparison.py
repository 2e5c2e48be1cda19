"""Comparison: a chart of several saved runs."""

import contextlib
import functools

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.description import labels
from dynamics.core.records import Trajectory
from dynamics.draw.panel import NothingToDrawError, compared
from dynamics.export import tables
from dynamics.runs.run import Run, RunError
from pages.saved_runs.choices import OPTIONS
from pages.shared.charts import numbers
from pages.shared.files import dialog
from pages.shared.files.downloads import button
from pages.shared.plotted import plotted
from pages.shared.session import opened


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
    st.caption("One colour for each run; the dash of a line tells the network, as in all charts.")
    with st.container(horizontal=True):
        pressed = st.button("For a paper or talk …", icon=":material/image:")
        if opened.asked(f"export {name}", pressed):
            dialog.open_runs([run.key for run, _ in chosen], series, versus)
        make = functools.partial(_csv, runs, series)
        button("Data of this chart (CSV)", make, name, "csv", icon=":material/download:")
        recorded = [run for run, _ in chosen if len(run.rows())]
        if len(recorded) > 1:
            make = functools.partial(tables.bundle, recorded, name)
            button("All numbers (zip)", make, name, "zip", icon=":material/folder_zip:")


def recorded(runs: list[Run]) -> set[str]:
    """The series that at least one of the runs has."""
    series: set[str] = set()
    for run in runs:
        with contextlib.suppress(RunError):  # the page says elsewhere that it is damaged
            series.update(*run.layout.shapes.values())
    return series


def given(runs: list[Run]) -> list[str]:
    """The numbers that programs gave by name to those of the runs that they train."""
    names: dict[str, None] = {}
    for run in runs:
        with contextlib.suppress(RunError):
            names |= dict.fromkeys(numbers(run))
    return [name for name in names if name not in OPTIONS["compare"]]


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
