"""Verdict: a finished figure of the paper on the page: its picture, its verdict, every number."""

from typing import Any

import streamlit as st

from dynamics.core import traits
from dynamics.export.formats import FORMATS
from dynamics.export.layout import space
from dynamics.paper import draws
from dynamics.paper.figure import AGREES, DIFFERS, UNPUBLISHED, Check, said
from dynamics.paper.judge import Judged, command, content, told
from pages.shared import address
from pages.shared.files import dialog
from pages.shared.plotted import plotted
from pages.shared.table import table

BADGES = {
    AGREES: ("agrees", "check_circle", "green"),
    DIFFERS: ("differs", "error", "red"),
    UNPUBLISHED: ("drawn; no number published", "check_circle", "gray"),
}
HEIGHT = 440  # pixels of a chart


def long(seconds: float) -> str:
    """A time in words."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def finished(judged: Judged) -> None:
    """All of it, from the verdict to the runs behind it."""
    box = {AGREES: st.success, DIFFERS: st.error, UNPUBLISHED: st.info}[judged.verdict]
    box(f"**{judged.verdict.capitalize()}.** {_why(judged)}", icon=f":material/{_icon(judged)}:")
    _picture(judged.panels)
    dialog.button(judged.figure, told(judged, address.address()), judged.name)
    st.subheader("Every number", anchor=False)
    table(_rows(judged), "Numbers found here and published")
    st.caption(" ".join(_notes(judged)))
    st.code(command(judged.name, judged.draw), language=None, wrap_lines=True)
    if len(judged.found.runs) <= 4:
        _runs(judged)


def _why(judged: Judged) -> str:
    """What the verdict says; one that differs in several numbers, in a list."""
    differing = [check.why for check in judged.checks if check.why]
    if len(differing) < 2:
        return judged.why
    count = sum(check.published is not None for check in judged.checks)
    items = "\n".join(f"- {each[0].upper()}{each[1:]}." for each in differing)
    return f"In {len(differing)} of {count} published numbers:\n\n{items}"


def _picture(panels: list[Any]) -> None:
    """The charts side by side under their title; on a phone they are below each other."""
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
    """What the numbers are, where they come from, and how to have them again."""
    notes = [f"{long(judged.seconds)} of training on {judged.machine}."]
    every = {config.record_every for config in draws.distinct(judged.name, judged.draw)}
    if any("record" in check.what for check in judged.checks):
        steps = f", one every {max(every)} steps" if len(every) == 1 else ""
        notes.append(f"Records are counted from 0{steps}.")
    if any("deviation" in check.what for check in judged.checks):
        notes.append("A deviation is |x − y| / max(|y|, 10⁻⁶ max|y|), the largest of all records.")
    notes.append(traits.figure(judged.name).borrowed)
    return [*filter(None, notes), "The same in a shell:"]


def _icon(judged: Judged) -> str:
    return BADGES[judged.verdict][1]


def _rows(judged: Judged) -> list[dict[str, str]]:
    """The table; what the authors have is left out where they gave no number at all."""
    seeds = judged.draw.seeds
    header = "Found here" if seeds == 1 else f"Median (quartiles), N = {seeds} seeds"
    bare = all(check.published is None for check in judged.checks)
    rows = []
    for check in judged.checks:
        what, told = f"{check.what[0].upper()}{check.what[1:]}", check.told
        theirs = {} if bare else {"Published": _published(check)}
        verdict = {} if bare else {"Verdict": "–" if check.published is None else check.verdict}
        rows.append({"What": what, **theirs, header: told, **verdict})
    return rows


def _published(check: Check) -> str:
    if check.published is None:
        return "–"
    if check.published == 0 and check.allowed:
        return f"at most {said(check.allowed)}"
    return said(check.published)


def _runs(judged: Judged) -> None:
    """Links to the runs themselves, where all their charts are."""
    with st.container(horizontal=True):
        for label, of in draws.configs(judged.name, judged.draw).items():
            st.page_link(
                "pages/1_Side_by_side.py",
                label="All charts of its run" if len(judged.found.runs) == 1 else f"Run: {label}",
                icon=":material/open_in_new:",
                query_params={"run": of[0].key},
            )


def downloads(judged: Judged) -> None:
    """The verdict, and that with all numbers of its runs; the chart itself has its own dialog."""
    for label, form, icon in (
        ("Verdict (JSON)", "json", "download"),
        ("All numbers (zip)", "zip", "folder_zip"),
    ):
        st.download_button(
            label,
            data=lambda form=form: content(judged, form),
            file_name=f"{judged.name}.{form}",
            mime=FORMATS[form].mime,
            icon=f":material/{icon}:",
            on_click="ignore",
        )
