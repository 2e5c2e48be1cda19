"""Results: the runs of an attribution, and what they show."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.seeds import FEW
from dynamics.core.words import raised
from dynamics.draw import waterfall
from dynamics.export import caption
from dynamics.findings import attribution, causes
from dynamics.findings.attribution import Attribution
from dynamics.findings.causes import Split
from dynamics.runs.group import ENDED, Group
from dynamics.runs.run import Run, RunError, root
from pages.shared import group
from pages.shared.files import dialog, making
from pages.shared.files.downloads import button
from pages.shared.files.making import Job
from pages.shared.networks import overview
from pages.shared.plotted import plotted
from pages.shared.session.who import visitor
from pages.shared.table import table


def show(config: Config, configs: list[Config], level: str) -> None:
    """The button or the progress of the runs, and the results of the runs that have ended."""
    runs = Group(configs, root(), visitor())
    progress = runs.progress()
    remaining = progress.runs - progress.ended
    if progress.live:
        group.show_training(runs, progress)
    elif remaining:
        st.button(
            f"Measure the other {remaining}" if progress.ended else "Measure",
            on_click=group.start,
            args=(runs,),
            type="primary",
            icon=":material/play_arrow:",
        )
    group.show_refusal()
    for broken in progress.of("failed", "lost"):
        st.error(f"{broken.key}: {runs.run(broken).status.sentence}")
    if progress.ended:
        _results(config, [runs.run(ended) for ended in progress.of(*ENDED)], level)
    else:
        overview(config, _networks(config))


@dataclass(frozen=True)
class _Found:
    """What an attribution found, in words and numbers.

    Attributes:
        result: itself.
        sentences: the result in words, the first in bold.
        table: a head and the rows of a table; those of the networks come first.
        numbers: for JSON.
    """

    result: Attribution | Split
    sentences: list[str]
    table: list[list[str]]
    numbers: dict[str, object]


def _found(config: Config, ended: list[Run], level: str) -> _Found:
    """What the runs that have ended show.

    Raises:
        RunError: if a run is damaged.
        ValueError: if the runs have nothing that reaches a level.
    """
    runs = [run.trajectories for run in ended]
    if config.contents:
        split = causes.split(config, runs, level)
        return _Found(split, causes.sentences(split), causes.table(split), causes.to_dict(split))
    made = attribution.attribute(config, runs, level)
    said, rows = attribution.sentences(made), attribution.table(made)
    return _Found(made, said, rows, attribution.to_dict(made))


def _results(config: Config, ended: list[Run], level: str) -> None:
    """The sentences, the chart, the table and the files made from the runs that have ended."""
    try:
        found = _found(config, ended, level)
    except (RunError, ValueError) as error:
        st.error(str(error))
        return
    first, *others = found.sentences
    with st.container(border=True, key="story"):
        st.markdown(f"**{first}**")
        st.markdown("\n".join(f"- {sentence}" for sentence in others))
    drawn = bool(found.result.whole.any())
    if drawn:
        plotted(waterfall.draw(found.result), "waterfall")
        st.caption(waterfall.reading(found.result))
    head, *rows = found.table
    shown = rows[: len(_networks(config))]
    cells = [dict(zip(head, map(raised, row), strict=True)) for row in shown]
    table([_folded(row) for row in cells], "Costs of each network")
    if len(ended) > 1:
        each = "with each seed below"
        if len(ended) >= FEW:
            each = f"with quartiles below (each seed, where fewer than {FEW} reached it)"
        st.caption(f"Medians over the seeds that reached it, {each}.")
    with st.container(horizontal=True):
        if drawn:
            configs = [run.config for run in ended]
            words = caption.of_attribution(found.result, configs)
            dialog.button(waterfall.draw(found.result), words, "attribution")
        _downloads(found, ended)


def _networks(config: Config) -> tuple[str, ...]:
    """The networks that are trained."""
    return (causes if config.contents else attribution).networks(config)


def _folded(cells: dict[str, str]) -> dict[str, str]:
    """A row with the scatter below each median, without the factors, which the chart shows."""
    columns = {"network": "network or cause", "reached": "reached"}
    columns |= {name: name for name in attribution.COUNTERS}
    return {
        name: f"{cells[column]}\n{cells.get(f'{column} over seeds', '')}".rstrip()
        for name, column in columns.items()
    }


def _downloads(found: _Found, ended: list[Run]) -> None:
    """Buttons for the numbers."""

    def as_csv() -> bytes:
        text = io.StringIO()
        csv.writer(text).writerows(found.table)
        return text.getvalue().encode()

    def as_json() -> bytes:
        return json.dumps(found.numbers, indent=1, ensure_ascii=False).encode()

    more = {"attribution.json": as_json().decode()}
    everything = making.numbers([run.key for run in ended], "zip", "attribution", more)
    jobs: list[tuple[str, str, Job | Callable[[], bytes]]] = [
        ("CSV", "csv", as_csv),
        ("JSON", "json", as_json),
        ("All numbers (zip)", "zip", everything),
    ]
    for label, form, job in jobs:
        icon = ":material/folder_zip:" if form == "zip" else ":material/download:"
        button(label, job, "attribution", form, icon=icon)
