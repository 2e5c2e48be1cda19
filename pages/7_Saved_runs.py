"""Saved runs: find, reopen, compare, export and delete what has been trained."""

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.words import count
from dynamics.core.words import title as heading
from dynamics.draw.time_axis import VERSUS, offered
from dynamics.runs import control
from dynamics.runs.remarks import read
from dynamics.runs.run import Run, RunError, listing, root
from pages.saved_runs import choices
from pages.saved_runs.comparison import comparison, given, recorded
from pages.saved_runs.finding import Entry, differing, found, grouped, title
from pages.saved_runs.table import shown, table, written
from pages.saved_runs.words import words
from pages.shared.files.downloads import downloads
from pages.shared.session import desk, owned
from pages.shared.session.reconnect import awaited
from pages.shared.session.who import visitor

MOST_COMPARED = 8
MOST_TOLD = 4  # unreadable runs of which the page says why
PICTURE = "Singular values over steps, each network in its colour"
MAIN = "The compressed network's; without one, the first network's"
ERROR = f"Recovery error, where the target is known; else test loss. {MAIN}."
LEAD = "Operations of the original ÷ those of the compressed network, to one error"
ACCURACY = f"Share of held-out images classified correctly at the end. {MAIN}."
OTHERS = (
    "Runs of somebody's own picture or matrix are listed only in a browser that imported it or has "
    "opened a link to it."
)
THEIRS = "only whoever started a run and the server's owner can name or delete it."
CONFIRM = "delete for everybody"  # the key of the button that deletes


@st.dialog("Delete these runs?")
def confirm_delete(chosen: list[Run]) -> None:
    """Ask before runs are deleted; afterwards the page says why a run could not be deleted."""
    its = "its" if len(chosen) == 1 else "their"
    st.write(f"{count(len(chosen), 'run')} and all {its} records are removed for everybody.")
    st.code("\n".join(run.key for run in chosen), language=None)
    if st.button("Delete", type="primary", icon=":material/delete:", key=CONFIRM):
        refusals = []
        for run in chosen:
            try:
                control.steer(run, "delete", visitor())
            except RunError as error:
                refusals.append(str(error))
        st.session_state["refused"] = "\n\n".join(refusals)
        st.rerun()


def chosen_entries(entries: list[Entry]) -> list[Entry]:
    """The tables of the runs that pass the filters; returns those that are ticked."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = choices.search()
        problem = choices.menu("Problem", "problem", width=200)
        phase = choices.menu("State", "state", width=200)
        by = choices.menu("Group by", "group", width=200, format_func=choices.group_title)
    passing = [
        entry
        for entry in found(entries, text)
        if phase in ("all", entry.status.phase)
        and problem in ("all", entry.config.problem if entry.config else "all")
    ]
    if not passing:
        st.info("No run has all of that.")
    for common, group in grouped(passing, by).items():
        if common:
            st.markdown(f"**{common}** · {count(len(group), 'run')}")
        listed(group, f"runs {problem} {phase} {text} {by} {common}")
    unreadable(passing)
    return [entry for entry in passing if entry.run.key in choices.ticked()]


def unreadable(entries: list[Entry]) -> None:
    """Why runs cannot be read: what is damaged in them, or that a newer version wrote them."""
    told = [entry.status.message for entry in entries if entry.status.phase == "unreadable"]
    for sentence in told[:MOST_TOLD]:
        st.warning(sentence, icon=":material/folder_off:")
    if more := told[MOST_TOLD:]:
        st.caption(f"{count(len(more), 'more run')} cannot be read.")


def listed(entries: list[Entry], key: str) -> None:
    """A table of runs, whose rows can be ticked; a click on a heading sorts it."""
    keys = [entry.run.key for entry in entries]
    ticked = [row for row, of_row in enumerate(keys) if of_row in choices.ticked()]
    st.session_state[key] = {"selection": {"rows": ticked, "columns": [], "cells": []}}
    rows = table(entries)
    st.dataframe(
        written(rows),
        hide_index=True,
        column_order=shown(rows),
        on_select=lambda: choices.tick(key, keys),
        selection_mode="multi-row",
        key=key,
        row_height=46,
        placeholder="–",
        alt="Saved runs with their settings and state",
        column_config={
            "started": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
            "steps": st.column_config.NumberColumn(format="localized"),
            "picture": st.column_config.ImageColumn("", width=110, help=PICTURE),
            "tags": st.column_config.ListColumn(),
            "seconds": st.column_config.NumberColumn(
                help="Of the first factors and of training, without measuring"
            ),
            "last error": st.column_config.NumberColumn(help=ERROR),
            "least error": st.column_config.NumberColumn(help=ERROR),
            "accuracy": st.column_config.NumberColumn(format="percent", help=ACCURACY),
            "lead": st.column_config.NumberColumn(format="%.1f ×", help=LEAD),
            "seeds": st.column_config.TextColumn(help="What was drawn at random, and from what"),
        },
    )


def like(config: Config, key: str, entries: list[Entry]) -> None:
    """A menu that ticks, beside the one ticked run, all that differ from it in one setting."""
    groups = differing(config, entries)
    with st.popover("Tick all that differ in …", icon=":material/checklist:", disabled=not groups):
        for name, others in groups.items():
            st.button(
                f"{title(name)} · {count(len(others), 'run')}",
                on_click=choices.tick_all,
                args=([key, *others],),
                width="stretch",
                key=f"differ {name}",
            )


def use(picked: list[Entry], entries: list[Entry]) -> None:
    """Buttons that open, name, export and delete the ticked runs, and a chart of all of them."""
    sound = [(entry.run, entry.config) for entry in picked if entry.config]
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(sound) == 1:
            run, config = sound[0]
            st.page_link(
                desk.page_of(config.problem),
                label="Open",
                icon=":material/open_in_new:",
                query_params={"run": run.key},
            )
            downloads(run)
            like(config, run.key, entries)
        mine = [entry for entry in picked if control.may(entry.run, "delete", visitor())]
        if mine:
            words(mine, sorted({tag for entry in entries for tag in entry.remarks.tags}))
            if st.button("Delete", icon=":material/delete:") or awaited(CONFIRM):
                confirm_delete([entry.run for entry in mine])
    if theirs := len(picked) - len(mine):
        is_theirs = (
            f"{count(theirs, 'ticked run')} {'is' if theirs == 1 else 'are'} somebody else's"
        )
        st.caption(f"{is_theirs}; {THEIRS}")
    for entry in picked:
        if entry.remarks.note:
            st.caption(f"{entry.remarks.name or entry.run.key}: {entry.remarks.note}")
    if len(sound) > MOST_COMPARED:
        st.warning(f"At most {MOST_COMPARED} runs are compared in one chart; tick fewer.")
    elif sound:
        left, right = st.columns(2)
        with left:
            series = choices.menu(
                "Compare",
                "compare",
                recorded([run for run, _ in sound]),
                more=given([run for run, _ in sound]),
                format_func=lambda name: (
                    heading(name) if name in choices.OPTIONS["compare"] else name
                ),
            )
        with right:
            axes = {axis for _, config in sound for axis in offered(config)}
            over = choices.menu("Over", "over", axes, format_func=lambda name: VERSUS[name])
        comparison(sound, series, over)


st.title("Saved runs", anchor=False)
if refused := st.session_state.pop("refused", None):
    st.error(refused)
linked = choices.linked()
every = [Entry(*each, read(each[0])) for each in listing(root())]
for entry in every:
    if entry.config and entry.run.key in linked:
        owned.learn(entry.config)
entries = [entry for entry in every if entry.config is None or owned.listed(entry.config)]
choices.read_address(
    [entry.run.key for entry in entries],
    given([entry.run for entry in entries if entry.config and entry.config.watched]),
)
if entries:
    picked = chosen_entries(entries)
    for run, config, status, _ in picked:
        if config is None or status.phase in ("failed", "lost"):
            st.warning(f"{run.key}: {status.message}", icon=":material/info:")
    if picked:
        use(picked, entries)
    else:
        st.caption("Tick runs to open, name, compare, export or delete them.")
    choices.write_address([entry.run.key for entry in picked])
else:
    st.info("No runs yet. Train networks on one of the first two pages; every run is kept here.")
    with st.container(key="go"):
        st.page_link(
            desk.PAGES["matrices"],
            label="Train two networks",
            icon=":material/play_arrow:",
            width="content",
        )
if len(entries) < len(every):
    st.caption(OTHERS)
