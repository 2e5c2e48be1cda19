"""Ladder: the widgets, runs and results of the page on attribution."""

import csv
import io
import json

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.words import raised
from dynamics.draw import waterfall
from dynamics.export import caption, tables
from dynamics.findings import attribution
from dynamics.findings.attribution import LEVELS, MOST_SEEDS, Attribution
from dynamics.runs import queue
from dynamics.runs.run import CANCEL, Run, RunError, Status, root
from dynamics.runs.start import start
from pages.shared import controls, exporting
from pages.shared.overview import overview
from pages.shared.plotted import plotted
from pages.shared.table import table

LOOK = 1.0  # seconds between two looks at runs that train
SEEDS, LEVEL = 5, "1e-3"


def read_address() -> None:
    """Take over settings, seeds and level where the address is new."""
    query = dict(st.query_params)
    if query == st.session_state.get("ladder address") and "ladder seeds" in st.session_state:
        return
    seeds, level = query.pop("seeds", str(SEEDS)), query.pop("level", LEVEL)
    wrong = []
    if not (seeds.isascii() and seeds.isdigit() and 1 <= int(seeds[:9]) <= MOST_SEEDS):
        wrong.append(f"seeds must be a whole number from 1 to {MOST_SEEDS}; {seeds[:20]!r} was "
                     f"given. {SEEDS} is shown instead.")  # fmt: skip
        seeds = str(SEEDS)
    if level not in LEVELS:
        wrong.append(f"level must be one of {', '.join(LEVELS)}; {level[:20]!r} was given. "
                     f"{LEVEL} is shown instead.")  # fmt: skip
        level = LEVEL
    st.session_state["ladder seeds"], st.session_state["ladder level"] = int(seeds), level
    query.pop("version", None)
    if query:
        controls.adopt(query)
        wrong += st.session_state.pop("wrong", [])
    for sentence in wrong:
        st.warning(sentence, icon=":material/link_off:")


def write_address(config: Config, seeds: int, level: str) -> None:
    """Everything that decides what is shown."""
    query = controls.differences(config, None) | {"seeds": str(seeds), "level": level}
    st.session_state["ladder address"] = query
    if dict(st.query_params) != query:
        st.query_params.from_dict(query)


def settings() -> Config:
    """The settings of the first page; the networks are the ladder's own."""
    values = controls.settings() | {"networks": Config().to_dict()["networks"]}
    return Config.from_dict(values)


def chosen(config: Config) -> None:
    """The settings in a line, and the way to others."""
    rows, cols = config.shape
    parts = [
        f"{config.problem.capitalize()}, {rows} × {cols}",
        f"L = {config.depth}",
        f"r̂ = {config.rank_bound}",
    ]
    parts += [
        f"α = {config.alpha:g}",
        f"ε = {config.init_scale:g}",
        f"η = {config.learning_rate:g}",
    ]
    words = " · ".join(part.replace(" ", "\u00a0") for part in parts)  # a line ends between two
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(raised(words), width="content")
        st.page_link(
            "pages/1_Side_by_side.py",
            label="Change settings",
            icon=":material/tune:",
            query_params=controls.differences(config, None),
        )


def switches(config: Config) -> None:
    """Two ways to make the comparison fair."""
    st.session_state["ladder alpha"] = config.alpha_original == config.alpha
    st.session_state["ladder margin"] = config.equal == "margin"
    with st.container(width="content", gap="small"):
        st.toggle(
            "Same α for both",
            key="ladder alpha",
            on_change=_switch,
            disabled=config.alpha == 1 == config.alpha_original,
            help="The original moves its outer factors by α as well; in the paper it does not.",
        )
        st.toggle(
            "Same stability margin",
            key="ladder margin",
            on_change=_switch,
            help="A larger α is nearly a larger step. This takes η·α^(−2/L) in place of η, so that "
            "all networks move at the same share of their own stability limit η*.",
        )


def _switch() -> None:
    values = dict(controls.settings())
    same, margin = st.session_state["ladder alpha"], st.session_state["ladder margin"]
    if same != (values["alpha_original"] == values["alpha"]):
        values["alpha_original"] = values["alpha"] if same else 1.0
    controls.adopt(values | {"equal": "margin" if margin else "rate"})


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
        words = caption.told(made, [run.config for run in ended], exporting.address())
        exporting.button(waterfall.draw(made), words, "attribution")
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

    for label, form, data, kind in (
        ("CSV", "csv", as_csv, "text/csv"),
        ("JSON", "json", as_json, "application/json"),
        ("All numbers (zip)", "zip", as_zip, "application/zip"),
    ):
        st.download_button(
            label,
            data=data,
            file_name=f"attribution.{form}",
            mime=kind,
            icon=":material/folder_zip:" if form == "zip" else ":material/download:",
            on_click="ignore",
        )
