"""Verdict: a finished figure of the paper on the page: its picture, its verdict, every number."""

from dataclasses import asdict
from typing import Any

import streamlit as st

from dynamics.core import traits
from dynamics.core.seeds import shown
from dynamics.core.words import duration, one_every, raised
from dynamics.export.layout import space
from dynamics.export.layout.subplots import abreast
from dynamics.paper.check import AGREES, DEVIATION, DIFFERS, RECORD, UNPUBLISHED, Check, said
from dynamics.paper.content import caption
from dynamics.paper.judge import Judged
from pages.shared.files import dialog, making
from pages.shared.files.downloads import button
from pages.shared.plotted import plotted
from pages.shared.session import desk
from pages.shared.table import table

BADGES = {
    AGREES: ("agrees", "check_circle", "green"),
    DIFFERS: ("differs", "error", "red"),
    UNPUBLISHED: ("drawn; no number published", "check_circle", "gray"),
}
HEIGHT = 440  # pixels of a chart


def finished(judged: Judged) -> None:
    """A finished figure: its verdict, picture and numbers, and links to its runs."""
    box = {AGREES: st.success, DIFFERS: st.error, UNPUBLISHED: st.info}[judged.verdict]
    box(f"**{judged.verdict.capitalize()}.** {_why(judged)}", icon=f":material/{_icon(judged)}:")
    _picture(judged.draw())
    words = caption(judged)
    dialog.button(abreast(judged.draw()), words, judged.plan.name)
    st.subheader("Every number", anchor=False)
    table(_rows(judged), "Numbers found here and published")
    st.caption(" ".join(_notes(judged)))
    st.code(judged.plan.command, language=None, wrap_lines=True)
    if len(judged.found.runs) <= 4:
        _runs(judged)


def _why(judged: Judged) -> str:
    """The reason for the verdict; several differences form a list."""
    differences = judged.differences
    if len(differences) < 2:
        return judged.why
    items = "\n".join(f"- {sentence[0].upper()}{sentence[1:]}." for sentence in differences)
    return f"In {len(differences)} of {judged.published} published numbers:\n\n{items}"


def _picture(panels: list[Any]) -> None:
    """The charts side by side under their title; on a phone, one below the other."""
    parts = [part for panel in panels for part in space.apart(panel)]
    if len(parts) > 1:
        st.markdown(f"**{panels[0].layout.title.text}**")
    for number, (place, (heading, part)) in enumerate(
        zip(st.columns(len(parts)), parts, strict=True)
    ):
        with place:
            if heading:
                st.caption(heading)
            height = space.NARROW[1] if heading else HEIGHT
            if len(parts) > 1:
                part.update_layout(title_text="")
            plotted(part, f"paper figure {number}", height=height)


def _notes(judged: Judged) -> list[str]:
    """What the numbers mean, where they come from, and how to make them again."""
    notes = [f"{duration(judged.seconds)} of training on {judged.machine}."]
    kinds = {check.kind for check in judged.checks}
    if RECORD in kinds:
        intervals = {config.record_every for config in judged.plan.distinct}
        steps = f", {one_every(max(intervals), 'step')}" if len(intervals) == 1 else ""
        notes.append(f"Records are counted from 0{steps}.")
    if DEVIATION in kinds:
        of = "|x − y| / max(|y|, 10⁻⁶ max|y|)".replace(" ", "\u00a0")
        notes.append(f"A deviation is {of}, the largest of all records.")
    notes.append(traits.figure(judged.plan.name).borrowed)
    return [*filter(None, notes), "The same in a shell:"]


def _icon(judged: Judged) -> str:
    return BADGES[judged.verdict][1]


def _rows(judged: Judged) -> list[dict[str, str]]:
    """The table's rows; without the columns *Published* and *Verdict* if nothing was published."""
    seeds = judged.plan.draw.seeds
    header = "Found here" if seeds == 1 else f"Median ({shown(seeds)}), N = {seeds} seeds"
    published = any(check.published is not None for check in judged.checks)
    rows = []
    for check in judged.checks:
        row = {"What": f"{check.what[0].upper()}{check.what[1:]}"}
        if published:
            row["Published"] = _published(check)
        row[header] = check.words
        if published:
            row["Verdict"] = "–" if check.published is None else check.verdict
        rows.append(row)
    return rows


def _published(check: Check) -> str:
    if check.published is None:
        return "–"
    if check.kind == DEVIATION:
        return raised(f"at most {check.allowed:.0e}")
    return said(check.published)


def _runs(judged: Judged) -> None:
    """Links to each run's page, where all its charts are."""
    with st.container(horizontal=True):
        for label, configs in judged.plan.configs.items():
            st.page_link(
                desk.page_of(configs[0].problem),
                label="All charts of its run" if len(judged.found.runs) == 1 else f"Run: {label}",
                icon=":material/open_in_new:",
                query_params={"run": configs[0].key},
            )


def downloads(judged: Judged) -> None:
    """Buttons for the verdict, and for the verdict with all numbers of its runs.

    The chart itself has its own dialog.
    """
    for label, form, icon in (
        ("Verdict (JSON)", "json", "download"),
        ("All numbers (zip)", "zip", "folder_zip"),
    ):
        job = making.figure(judged.plan.name, asdict(judged.plan.draw), form)
        button(label, job, judged.plan.name, form, icon=f":material/{icon}:")
