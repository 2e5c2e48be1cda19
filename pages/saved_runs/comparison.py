"""Comparison: a chart of several saved runs."""

import contextlib

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.description import labels
from dynamics.core.records import Trajectory
from dynamics.draw.panel import NothingToDrawError, compared
from dynamics.runs.run import Run, RunError
from pages.saved_runs.choices import OPTIONS
from pages.shared.charts import numbers
from pages.shared.files import dialog, making
from pages.shared.files.downloads import button
from pages.shared.plotted import plotted
from pages.shared.session import opened


def comparison(chosen: list[tuple[Run, Config]], series: str, versus: str) -> None:
    """A chart of one series of the chosen runs, and its files."""
    read = {run.key: _read(run, series) for run, _ in chosen}
    chosen = [(run, config) for run, config in chosen if read[run.key] is not None]
    if not chosen:
        return
    configs = [config for _, config in chosen]
    runs = [
        (label, config, read[run.key] or [])
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
        names = {run.key: label for (run, _), (label, *_) in zip(chosen, runs, strict=True)}
        job = making.series(names, series)
        button("Data of this chart (CSV)", job, name, "csv", icon=":material/download:")
        recorded = [run for run, _ in chosen if run.count(run.layout.width)]
        if len(recorded) > 1:
            job = making.numbers([run.key for run in recorded], "zip", name)
            button("All numbers (zip)", job, name, "zip", icon=":material/folder_zip:")


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


def _read(run: Run, series: str) -> list[Trajectory] | None:
    """One series of a run; None if it cannot be read, and the page says why."""
    try:
        return run.only([series])
    except RunError as error:
        st.warning(str(error), icon=":material/info:")
        return None
