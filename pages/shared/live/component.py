"""Live charts: the panels of a run, drawn in the browser from the run's own stream.

The page's script names a run and panels. Records never pass through it, so that a chart neither
waits for a rerun nor causes one.
"""

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dynamics.core import registry, traits
from dynamics.runs.run import RunError, find, root
from pages.shared.live.routes import CHARTS, address
from pages.shared.session import opened, owned

# Streamlit sends a component's script at every update, so the script is only this loader. It starts
# all downloads at once; without it, the browser would find modules one import after the other.
_LOADER = """
const early = (rel, href, as = "") =>
  document.head.append(Object.assign(document.createElement("link"), { rel, href, as }));
early("preload", "LIBRARY", "script");
for (const name of "MODULES".split(" ")) early("modulepreload", "FOLDER" + name);
const module = import(new URL("FOLDERpage/ENTRY.js", location.origin).href);
export default function (component) {
  let unmount = null, gone = false;
  module.then((live) => { if (!gone) unmount = live.mount(component); }).catch(() => {
    component.parentElement.textContent = "The charts could not be loaded; reload the page.";
  });
  return () => { gone = true; unmount?.(); };
}
"""


def _loader(entry: str) -> str:
    modules = " ".join(name for name in CHARTS if name.endswith(".js"))
    filled = _LOADER.replace("LIBRARY", address("basic.js")).replace("MODULES", modules)
    filled = filled.replace("ENTRY", entry)
    return filled.replace("FOLDER", address("page/main.js").removesuffix("page/main.js"))


_charts = st.components.v2.component("dln_live", js=_loader("main"), isolate_styles=False)
_map = st.components.v2.component("dln_map", js=_loader("map"), isolate_styles=False)
_still = st.components.v2.component("dln_still", js=_loader("still"), isolate_styles=False)


@dataclass(frozen=True)
class Seen:
    """The state of the charts that the page's script knows.

    Attributes:
        phase: the run's new phase in the rerun that it caused, else None.
        at: the step of the viewer's cursor; None if the charts follow the newest record.
        mode: the mode that the viewer lit, from 1; None for all.
    """

    phase: str | None
    at: int | None
    mode: int | None


def live(
    run_key: str,
    panels: Sequence[str],
    versus: str = "steps",
    key: str = "live",
    at: int | None = None,
    theory: bool = True,
    beside: tuple[str, int] | None = None,
    replay: float | None = None,
    mode: int | None = None,
) -> Seen:
    """The live charts of a run.

    The page's script runs again when the run enters a new phase or the viewer has moved the cursor.

    Args:
        run_key: the run.
        panels: ``chart`` or ``chart/network``.
        versus: the time axis.
        key: the component's name in Streamlit's session.
        at: the step of the cursor when the run comes into view; None to follow the newest record.
        theory: whether the charts show what theory expects.
        beside: key of the parent run, whose lines are faint, and the step of the fork.
        replay: a new number plays the run from its start, once.
        mode: the mode that is lit when the run comes into view; None for all.
    """
    phase = created = None
    with contextlib.suppress(RunError):
        run = find(run_key, root())
        phase = run.status.phase
        if run.watched:  # whose program may give a new number, which has a chart of its own
            created = repr(run.status.created) if run.layout.shapes else ""
    stems = {panel.partition("/")[0] for panel in panels} & set(registry.options("charts"))
    result = _charts(
        key=key,
        data={
            "run": run_key,
            # For a list or a dict, Streamlit would load pandas.
            "panels": tuple(panels),
            "versus": versus,
            "phase": phase,
            "created": created,
            "at": at,
            "mode": mode,
            "theory": theory,
            "beside": beside,
            "replay": replay,
            "known": ".".join(owned.known()),
            "kinds": tuple((name, traits.chart(name).kind) for name in stems),
            "plotly": tuple((part, address(f"{part}.js")) for part in ("basic", "gl3d")),
        },
        default={"at": None, "mode": None},
        on_phase_change=_nothing,
        on_at_change=_nothing,
        on_mode_change=_nothing,
        on_export_change=_nothing,
    )
    if asked := opened.asked(f"export {run_key}", result.export):
        _export(run_key, {**asked, "beside": beside}, versus, theory)
    moved = result.at
    if moved and moved["run"] == run_key:  # else it is the previous run's cursor
        at = None if moved["step"] is None else int(moved["step"])
    lit = result.mode
    if lit and lit["run"] == run_key:
        mode = None if lit["mode"] is None else int(lit["mode"])
    return Seen(result.phase, at, mode)


def still(figure: dict[str, Any], words: str, key: str) -> None:
    """A chart that no run draws, in the look of the live charts; ``words`` tell what it shows."""
    _still(
        key=key,
        data={"figure": json.dumps(figure), "words": words, "plotly": address("basic.js")},
    )


def cells(
    wide: str,
    words: str,
    key: str,
    *,
    narrow: str = "",
    axes: int = 2,
    cell: str = "",
    on_change: Callable[[], None] | None = None,
) -> str:
    """A chart of cells that grows in place, of which the pointer chooses one, or a click.

    The chosen cell is the component's state ``cell``: its places on the axes, such as ``3,0``.
    Returns a cell that was clicked when it was chosen already, once; else nothing.

    Args:
        wide: a Plotly figure as JSON, as ``draw.sweep`` makes it.
        words: what the chart shows.
        key: the component's name in Streamlit's session.
        narrow: the figure for a phone, if it differs.
        axes: how many axes a cell has a place on.
        cell: the cell that is chosen now.
        on_change: called when another one was chosen.
    """
    result = _map(
        key=key,
        data={
            "wide": wide,
            "narrow": narrow,
            "words": words,
            "axes": axes,
            "cell": cell,
            "plotly": address("cartesian.js"),
        },
        default={"cell": cell},
        on_cell_change=on_change or _nothing,
        on_open_change=_nothing,
    )
    return result.open or ""


def _export(run_key: str, asked: dict[str, Any], versus: str, theory: bool) -> None:
    """Open the dialog for the panel whose menu asked for it."""
    from pages.shared.files import dialog  # not at the top: most pages save no file

    try:
        dialog.open_runs([run_key], asked["panel"], versus, asked, theory=theory)
    except RunError as error:
        st.error(str(error), icon=":material/error:")


def _nothing() -> None:
    """A callback without effect: Streamlit returns only triggers that have a callback."""
