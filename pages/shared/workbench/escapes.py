"""Escapes: the step at which each mode was half grown, by theory and in the run, in a table."""

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.core.traits import full_name, short_name
from dynamics.core.words import raised, subscript
from dynamics.findings.modes import Mode, by_network
from dynamics.teach.glossary import about
from dynamics.theory.course import Expected, expected
from dynamics.theory.prediction import Facts
from pages.shared.table import table

STANDING = {
    "exact": "exact",
    "gradient-flow": "exact for small steps",
    "heuristic": "estimates",
    "unknown": "none are known",
}


def escapes(config: Config, trajectories: list[Trajectory]) -> None:
    """A row for each mode: every network's predicted step, measured step and their deviation."""
    listed = {name: modes for name, modes in by_network(config, trajectories).items() if modes}
    if not listed:
        return
    courses = expected(config, Facts.of(trajectories[0].facts))
    st.subheader(
        "Steps until each mode is half grown", anchor=False, help=about("Mode", "Half grown")
    )
    table(
        [_row(modes) for modes in zip(*map(_named, listed.items()), strict=True)],
        "Steps until each mode is half grown, expected and measured",
    )
    st.caption("  \n".join(_standing(name, courses[name]) for name in listed))


def _named(entry: tuple[str, list[Mode]]) -> list[tuple[str, Mode]]:
    name, modes = entry
    return [(name, mode) for mode in modes]


def _row(modes: tuple[tuple[str, Mode], ...]) -> dict[str, str]:
    first = modes[0][1]
    cells = {"Mode": raised(f"σ{subscript(first.number)} → {first.goal:.4g}")}
    for name, mode in modes:
        measured = "not reached" if mode.measured is None else f"{mode.measured:,.0f}"
        if mode.early:
            measured = "before its start"
        cells[f"{short_name(name)}, expected"] = _expected(mode.expected)
        cells[f"{short_name(name)}, measured"] = measured
        cells[f"{short_name(name)}, deviation"] = (
            "" if mode.deviation is None else f"{mode.deviation:+.2%}".replace("-", "−")
        )
    return cells


def _expected(step: float | None) -> str:
    if step is None:
        return "not known"
    return "never" if step == float("inf") else f"{step:,.0f}"


def _standing(name: str, course: Expected) -> str:
    """How sure the predicted steps of a network are, and why they are not exact."""
    start = f"Predictions for the {full_name(name)}: {STANDING[course.standing]}."
    return f"{start} {' '.join(course.breaks)}".strip()
