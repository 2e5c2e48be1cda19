"""Ladder: the widgets, runs and results of the page on attribution."""

import csv
import io
import json

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.words import raised
from dynamics.draw import waterfall
from dynamics.export import caption, tables
from dynamics.export.formats import FORMATS
from dynamics.findings import attribution
from dynamics.findings.attribution import Attribution
from dynamics.runs import queue
from dynamics.runs.run import CANCEL, Run, RunError, Status, root
from dynamics.runs.start import start
from pages.shared import address
from pages.shared.files import dialog
from pages.shared.networks import overview
from pages.shared.plotted import plotted
from pages.shared.table import table

LOOK = 1.0  # seconds between two looks at runs that train


def climb(config: Config, configs: list[Config], level: str) -> None:
    """The button, the progress of the runs and what those that have ended say; before, pictures."""
    found = [_status(each) for each in configs]
    live = any(status and status.live for _, status in found)
    st.fragment(_watch, run_every=LOOK if live else None)(config, configs, level, live)


def _status(config: Config) -> tuple[Run, Status | None]:
    run = Run(root() / config.key)
    try:
        return run, run.status
    except RunError:
        return run, None


def _watch(config: Config, configs: list[Config], level: str, watched: bool) -> None:
    found = [_status(each) for each in configs]
    ended = [run for run, status in found if status and status.phase in ("done", "diverged")]
    live = [(run, status) for run, status in found if status and status.live]
    if watched != bool(live):  # the whole script decides how often to look
        st.rerun()
    if live:
        _progress(config, len(ended), [status for _, status in live], len(configs))
        st.button(
            "Cancel", icon=":material/stop:", on_click=_cancel, args=([run for run, _ in live],)
        )
    elif len(ended) < len(configs):
        words = "Measure" if not ended else f"Measure the other {len(configs) - len(ended)}"
        st.button(
            words, type="primary", icon=":material/play_arrow:", on_click=_start, args=(configs,)
        )
    if told := st.session_state.pop("ladder told", None):
        st.error(told)
    for run, status in found:
        if status and status.phase in ("failed", "lost"):
            st.error(f"{run.key}: {status.message}")
    if ended:
        _results(config, ended, level)
    else:
        overview(config, attribution.PATH)


def _start(configs: list[Config]) -> None:
    try:
        for each in configs:
            start(each, root())
    except RunError as error:
        st.session_state["ladder told"] = str(error)


def _cancel(live: list[Run]) -> None:
    for run in live:
        run.ask(CANCEL)


def _progress(config: Config, ended: int, live: list[Status], seeds: int) -> None:
    """How far all are, and how long at most: a network may reach its tolerance before."""
    share = (ended + sum(status.step for status in live) / config.steps) / seeds
    rates = [status.rate for status in live if status.rate > 0]
    left = ""
    if rates:
        steps = sum(config.steps - status.step for status in live)
        pace = sum(rates) / len(rates) * min(queue.capacity(), len(live))
        left = f", at most {_duration(steps / pace)} left"
    st.progress(min(share, 1.0), f"{ended} of {seeds} seeds are done{left}")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _results(config: Config, ended: list[Run], level: str) -> None:
    try:
        made = attribution.attribute(config, [run.trajectories for run in ended], level)
    except (RunError, ValueError) as error:
        st.error(str(error))
        return
    first, *others = attribution.sentences(made)
    with st.container(border=True, key="story"):
        st.markdown(f"**{first}**")
        st.markdown("\n".join(f"- {sentence}" for sentence in others))
    plotted(waterfall.draw(made), "waterfall")
    st.caption(f"{waterfall.READING} In the table, quartiles stand below the medians.")
    head, *rows = attribution.table(made)
    cells = [dict(zip(head, map(raised, row), strict=True)) for row in rows]
    table([_folded(row) for row in cells], "Costs of each network")
    with st.container(horizontal=True):
        words = caption.of_attribution(made, [run.config for run in ended], address.address())
        dialog.button(waterfall.draw(made), words, "attribution")
        _downloads(made, head, rows, ended)


def _folded(cells: dict[str, str]) -> dict[str, str]:
    """Quartiles in the cell of their median; the factors stand in the chart, so a row fits here."""
    return {
        name: f"{cells[name]}\n{cells.get(f'{name} quartiles', '')}".rstrip()
        for name in ("network", "reached", *attribution.COUNTERS)
    }


def _downloads(made: Attribution, head: list[str], rows: list[list[str]], ended: list[Run]) -> None:
    def as_csv() -> bytes:
        text = io.StringIO()
        csv.writer(text).writerows([head, *rows])
        return text.getvalue().encode()

    def as_json() -> bytes:
        return json.dumps(attribution.to_dict(made), indent=1, ensure_ascii=False).encode()

    def as_zip() -> bytes:
        return tables.bundle(ended, "attribution", {"attribution.json": as_json()})

    for label, form, data in (
        ("CSV", "csv", as_csv),
        ("JSON", "json", as_json),
        ("All numbers (zip)", "zip", as_zip),
    ):
        st.download_button(
            label,
            data=data,
            file_name=f"attribution.{form}",
            mime=FORMATS[form].mime,
            icon=":material/folder_zip:" if form == "zip" else ":material/download:",
            on_click="ignore",
        )
