"""Chart: the cells of a sweep as they appear, and the curves of the one that is chosen."""

from typing import Any

import plotly.io
import streamlit as st

from dynamics.core.config import Config
from dynamics.core.sweep import OF_CLASSES, Sweep, error_of, shown
from dynamics.core.words import raised
from dynamics.draw import panel
from dynamics.draw.sweep import draw, told
from dynamics.findings.sweeps import Results
from dynamics.runs.run import Run, RunError, root
from dynamics.runs.sweep import Progress
from pages.shared.live.component import cells
from pages.shared.plotted import plotted
from pages.shared.session import desk
from pages.sweeps.asked import Asked
from pages.sweeps.choices import write_address
from pages.sweeps.training import stands

PACE = 1.5  # seconds between two looks at a sweep that trains
CELL = "sweep cell"  # session key: the places of the chosen cell on the axes, such as 3,0
COMPONENT = "sweep map"
MOST_FORECAST = 600  # cells of a map that has theory's borders: their forecasts take a while
HEIGHT = 250  # pixels of a chart of the chosen cell


def show(sweep: Sweep, asked: Asked, now: Progress) -> None:
    """The map or the lines, and beside them the chosen cell; both follow a sweep that trains."""
    st.fragment(_both, run_every=PACE if now.live else None)(sweep, asked)


def _both(sweep: Sweep, asked: Asked) -> None:
    now = stands(sweep)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        opened = _map(now.results, lines=asked.lines)
    with right:
        _cell(now)
    write_address(sweep, asked)
    if opened and (config := _ended(now, point_of(sweep))):
        st.switch_page(desk.page_of(config.problem), query_params={"run": config.key})


def _map(results: Results, *, lines: bool) -> str:
    """The chart; returns a cell whose run is to be opened, if any."""
    sweep = results.sweep
    theory = forecast_of(sweep)
    figure = draw(results, lines=lines, theory=theory)
    figure.update_layout(margin_t=30 if len(sweep.axes) > 2 else 10)
    st.markdown(f"**{figure.layout.title.text}**")
    narrow = ""
    if len(sweep.axes) > 2:
        narrow = plotly.io.to_json(draw(results, lines=lines, theory=theory, across=1))
    opened = cells(
        plotly.io.to_json(figure),
        f"{sweep.title}: a chart of {len(sweep.cells)} cells; the menus beside it choose one",
        COMPONENT,
        narrow=narrow,
        axes=len(sweep.axes),
        cell=st.session_state.get(CELL) or "",
        on_change=_clicked,
    )
    without = "" if theory else f" Theory's borders are drawn up to {MOST_FORECAST} cells."
    st.caption(raised(f"{sweep.caption}{without}"))
    return opened


def forecast_of(sweep: Sweep) -> bool:
    """Whether the chart has theory's borders."""
    return len(sweep.cells) <= MOST_FORECAST


def _clicked() -> None:
    """The menus of the cell follow a click."""
    chosen = st.session_state[COMPONENT]["cell"]
    st.session_state[CELL] = chosen or ""
    for name in list(st.session_state):
        if str(name).startswith("cell on "):
            del st.session_state[name]


def point_of(sweep: Sweep) -> tuple[int, ...] | None:
    """The chosen cell; None if none is, or it is not one of this sweep."""
    try:
        point = tuple(int(part) for part in (st.session_state.get(CELL) or "").split(","))
    except ValueError:
        return None
    inside = len(point) == len(sweep.axes) and all(
        0 <= place < length for place, length in zip(point, sweep.shape, strict=False)
    )
    return point if inside else None


def _cell(now: Progress) -> None:
    """Menus for the cell, its outcome in words, its curves and a link to its run."""
    sweep = now.sweep
    chosen = point_of(sweep)
    point = _menus(sweep, chosen or _first(now))
    if chosen is None and not now.values:
        st.caption("The cell under the pointer shows its curves here, once it is trained.")
        return
    st.markdown(f"**{told(now.results, point)}**")
    cell = next(cell for cell in sweep.cells if cell.point == point)
    if cell.why:
        st.caption(cell.why)
        return
    seed = 0
    if sweep.seeds > 1:
        seed = st.segmented_control(
            "Seed", list(range(sweep.seeds)), default=0, required=True, key="cell on seed"
        )
    config = cell.configs[min(seed, len(cell.configs) - 1)]
    if why := now.failed.get(config.key):
        st.warning(why, icon=":material/info:")
        return
    ended = [each for each in cell.configs if each.key in now.values]
    if config not in ended:
        return
    _curves(sweep, config, [Run(root() / each.key) for each in ended])


def _ended(now: Progress, point: tuple[int, ...] | None) -> Config | None:
    """The run of a cell, of the seed that is chosen, if it has ended."""
    cell = next((cell for cell in now.sweep.cells if cell.point == point), None)
    if cell is None or not cell.configs:
        return None
    seed = st.session_state.get("cell on seed") or 0
    config = cell.configs[min(seed, len(cell.configs) - 1)]
    return config if config.key in now.values else None


def _first(now: Progress) -> tuple[int, ...]:
    """The first cell that has ended, in the order in which they are trained."""
    done = (cell.point for cell in now.sweep.cells
            if any(config.key in now.values for config in cell.configs))  # fmt: skip
    return next(done, tuple(0 for _ in now.sweep.axes))


def _menus(sweep: Sweep, point: tuple[int, ...]) -> tuple[int, ...]:
    """A menu for the value on each axis: for keys and screen readers, and to move by one."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        return tuple(_menu(sweep, place, at) for place, at in enumerate(point))


def _menu(sweep: Sweep, place: int, start: int) -> int:
    axis, key = sweep.axes[place], _key(sweep, place)
    st.session_state.setdefault(key, start)
    chosen: int = st.selectbox(
        axis.about.symbol or axis.about.title,
        list(range(len(axis.values))),
        key=key,
        format_func=lambda at: raised(shown(_short(axis.values[at]))),
        on_change=_picked,
        args=(sweep,),
        width=120,
    )
    return chosen


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _picked(sweep: Sweep) -> None:
    """The map follows the menus."""
    keys = [_key(sweep, place) for place in range(len(sweep.axes))]
    st.session_state[CELL] = ",".join(str(st.session_state[key]) for key in keys)


def _key(sweep: Sweep, place: int) -> str:
    return f"cell on {place} {sweep.key}"


def _curves(sweep: Sweep, config: Config, runs: list[Run]) -> None:
    """The error of all seeds, the singular values of one, and a link to its page."""
    series = "accuracy" if sweep.outcome in OF_CLASSES else error_of(config)
    network = sweep.network if sweep.network in config.networks else config.networks[-1]
    own = Run(root() / config.key)
    try:
        plotted(_small(panel.of_runs(runs, series)), "cell errors")
        plotted(_small(panel.of_runs([own], f"singular_values/{network}")), "cell values")
    except RunError as error:
        st.info(str(error), icon=":material/info:")
        return
    st.page_link(
        desk.page_of(config.problem),
        label="Open this run",
        icon=":material/open_in_new:",
        query_params={"run": config.key},
    )


def _small(figure: Any) -> Any:
    """A chart without a legend, for which it has no room; its run has one."""
    return figure.update_layout(height=HEIGHT, showlegend=False, margin_t=20)
