"""Live charts: the panels of a run, drawn in the browser from the run's own stream.

The script only says which run and which panels. Records never pass through it, so that a chart
neither waits for a rerun nor causes one.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dynamics.core import registry, traits
from dynamics.runs.run import RunError, find, root
from pages.shared.live.routes import CHARTS, address

# Streamlit sends a component's script again at every update, so it is only this loader. It starts
# all downloads at once; by themselves, modules are found one import after the other.
_LOADER = """
const early = (rel, href, as = "") =>
  document.head.append(Object.assign(document.createElement("link"), { rel, href, as }));
early("preload", "LIBRARY", "script");
for (const name of "MODULES".split(" ")) early("modulepreload", "FOLDER" + name);
const module = import(new URL("FOLDERpage/main.js", location.origin).href);
export default function (component) {
  let unmount = null, gone = false;
  module.then((live) => { if (!gone) unmount = live.mount(component); }).catch(() => {
    component.parentElement.textContent = "The charts could not be loaded; reload the page.";
  });
  return () => { gone = true; unmount?.(); };
}
"""


def _loader() -> str:
    modules = " ".join(name for name in CHARTS if name.endswith(".js"))
    filled = _LOADER.replace("LIBRARY", address("basic.js")).replace("MODULES", modules)
    return filled.replace("FOLDER", address("page/main.js").removesuffix("page/main.js"))


_charts = st.components.v2.component("dln_live", js=_loader(), isolate_styles=False)


@dataclass(frozen=True)
class Seen:
    """What the charts tell the page.

    ``phase`` is the new phase of the run in the rerun that it caused, else None. ``at`` is the step
    at which the viewer's cursor rests; None if the charts follow the newest record.
    """

    phase: str | None
    at: int | None


def live(
    run_key: str,
    panels: Sequence[str],
    versus: str = "steps",
    key: str = "live",
    at: int | None = None,
    theory: bool = True,
    beside: tuple[str, int] | None = None,
) -> Seen:
    """The live charts of a run; the script runs again when the run enters a new phase.

    ``panels`` are ``figure`` or ``figure/network``; those that the run does not measure are left
    out. ``at`` is the step at which the cursor stands when the run comes into view; the script also
    runs again when the viewer has moved it. ``theory`` says whether what it expects is drawn.
    ``beside`` is another run, whose lines are faint from a step on.
    """
    phase = None
    with contextlib.suppress(RunError):
        phase = find(run_key, root()).status.phase
    stems = {panel.partition("/")[0] for panel in panels} & set(registry.options("charts"))
    told = _charts(
        key=key,
        data={
            "run": run_key,
            # A list or a dict would have Streamlit load pandas to look at it.
            "panels": tuple(panels),
            "versus": versus,
            "phase": phase,
            "at": at,
            "theory": theory,
            "beside": beside,
            "kinds": tuple((name, traits.chart(name).kind) for name in stems),
            "plotly": tuple((part, address(f"{part}.js")) for part in ("basic", "gl3d")),
        },
        default={"at": None},
        on_phase_change=_nothing,
        on_at_change=_nothing,
        on_export_change=_nothing,
    )
    if told.export:
        _export(run_key, told.export, versus, theory)
    moved = told.at
    if moved and moved["run"] == run_key:  # else it is of the run shown before
        at = None if moved["step"] is None else int(moved["step"])
    return Seen(told.phase, at)


def _export(run_key: str, asked: dict[str, Any], versus: str, theory: bool) -> None:
    """Open the dialog for the panel whose menu asked for it."""
    from pages.shared.files import dialog  # not at the top: only who saves a file needs it

    try:
        dialog.open_runs([run_key], asked["panel"], versus, asked, theory=theory)
    except RunError as error:
        st.error(str(error), icon=":material/error:")


def _nothing() -> None:
    """Only a trigger that has a callback is part of the result."""
