"""Live charts: the panels of a run, drawn in the browser from the run's own stream.

The script only says which run and which panels. Records never pass through it, so that a chart
neither waits for a rerun nor causes one.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

import streamlit as st

from dynamics import runs
from pages.shared.routes import CHARTS, address

# Streamlit sends a component's script again at every update, so it is only this loader. It starts
# all downloads at once; by themselves, modules are found one import after the other.
_LOADER = """
const early = (rel, href, as = "") =>
  document.head.append(Object.assign(document.createElement("link"), { rel, href, as }));
early("preload", "LIBRARY", "script");
for (const name of "MODULES".split(" ")) early("modulepreload", "FOLDER" + name);
const module = import(new URL("FOLDERlive.js", location.origin).href);
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
    filled = _LOADER.replace("LIBRARY", address("plotly.js")).replace("MODULES", modules)
    return filled.replace("FOLDER", address("live.js").removesuffix("live.js"))


_charts = st.components.v2.component("dln_live", js=_loader(), isolate_styles=False)


def live(run_key: str, panels: Sequence[str], versus: str = "steps", key: str = "live") -> Any:
    """The live charts of a run; the script runs again whenever the run enters a new phase.

    ``panels`` are ``figure`` or ``figure/network``; those that the run does not measure are left
    out. The result's ``phase`` is the new phase in the run that it caused, else None.
    """
    phase = None
    with contextlib.suppress(runs.RunError):
        phase = runs.find(run_key, runs.root()).status.phase
    return _charts(
        key=key,
        data={
            "run": run_key,
            "panels": tuple(panels),  # a list would have Streamlit load pandas to look at it
            "versus": versus,
            "phase": phase,
            "plotly": address("plotly.js"),
        },
        on_phase_change=_nothing,
    )


def _nothing() -> None:
    """Only a trigger that has a callback is part of the result."""
