"""Saved runs: find, reopen, compare, export and delete what has been trained."""

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.words import count
from dynamics.draw.time_axis import VERSUS
from dynamics.runs.run import Run, RunError, listing, root
from pages.saved_runs import choices
from pages.saved_runs.comparison import comparison
from pages.saved_runs.table import Entry, table
from pages.shared.files.downloads import downloads

MOST_COMPARED = 8


@st.dialog("Delete these runs?")
def confirm_delete(chosen: list[Run]) -> None:
    """Ask before runs are deleted; afterwards the page says why a run could not be deleted."""
    its = "its" if len(chosen) == 1 else "their"
    st.write(f"{count(len(chosen), 'run')} and all {its} records are removed for everybody.")
    st.code("\n".join(run.key for run in chosen), language=None)
    if st.button("Delete", type="primary", icon=":material/delete:"):
        refusals = []
        for run in chosen:
            try:
                run.delete()
            except RunError as error:
                refusals.append(str(error))
        st.session_state["refused"] = "\n\n".join(refusals)
        st.rerun()


def chosen_entries(entries: list[Entry]) -> list[Entry]:
    """The table of the runs that pass the filters; returns those that are ticked."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        problem = choices.menu("Problem", "problem", width=200)
        phase = choices.menu("State", "state", width=200)
    entries = [
        (run, config, status)
        for run, config, status in entries
        if phase in ("all", status.phase)
        and problem in ("all", config.problem if config else "all")
    ]
    keys = [run.key for run, _, _ in entries]
    rows = [row for row, key in enumerate(keys) if key in choices.ticked()]
    key = f"runs {problem} {phase}"
    st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    st.dataframe(
        table(entries),
        hide_index=True,
        on_select=lambda: choices.tick(key, keys),
        selection_mode="multi-row",
        key=key,
        alt="Saved runs with their settings and state",
        column_config={
            "started": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
            "steps": st.column_config.NumberColumn(format="localized"),
        },
    )
    return [entries[row] for row in rows]


def use(picked: list[Entry]) -> None:
    """Buttons that open, export and delete the ticked runs, and a chart that compares them."""
    sound: list[tuple[Run, Config]] = [(run, config) for run, config, _ in picked if config]
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(sound) == 1:
            run, _ = sound[0]
            st.page_link(
                "pages/1_Side_by_side.py",
                label="Open",
                icon=":material/open_in_new:",
                query_params={"run": run.key},
            )
            downloads(run)
        if st.button("Delete", icon=":material/delete:"):
            confirm_delete([run for run, _, _ in picked])
    if len(sound) > MOST_COMPARED:
        st.warning(f"At most {MOST_COMPARED} runs are compared in one chart; tick fewer.")
    elif sound:
        left, right = st.columns(2)
        with left:
            series = choices.menu(
                "Compare",
                "compare",
                format_func=lambda name: name.replace("_", " ").capitalize(),
            )
        with right:
            over = choices.menu("Over", "over", format_func=lambda name: VERSUS[name])
        comparison(sound, series, over)


st.title("Saved runs", anchor=False)
if refused := st.session_state.pop("refused", None):
    st.error(refused)
entries = listing(root())
choices.read_address([run.key for run, _, _ in entries])
if entries:
    picked = chosen_entries(entries)
    for run, config, status in picked:
        if config is None or status.phase in ("failed", "lost"):
            st.warning(f"{run.key}: {status.message}", icon=":material/info:")
    if picked:
        use(picked)
    else:
        st.caption("Tick runs to open, compare, export or delete them.")
    choices.write_address([run.key for run, _, _ in picked])
else:
    st.info("No runs yet. Train two networks on the first page; every run is kept here.")
    with st.container(key="go"):
        st.page_link(
            "pages/1_Side_by_side.py",
            label="Train two networks",
            icon=":material/play_arrow:",
            width="content",
        )
