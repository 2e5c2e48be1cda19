"""Guess: a button beside r̂ that sets it from the singular values of what is seen.

They need the drawn problem, and so torch, which the web process has not: a process of its own draws
it.
"""

import dataclasses
import json
import sys
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dynamics.core import traits
from dynamics.core.config import Config, ConfigError
from dynamics.core.contents import SPARE
from dynamics.theory.spectrum import gap
from pages.shared.files.process import PACE, forget, held

ASKED = "guess asked"  # session key: the settings for which r̂ is guessed, as JSON
NAME = "guess"  # of the process
LARGEST = 1_000_000  # entries of a matrix that is drawn for a guess
MOST = 50  # singular values among which the gap is looked for
PATIENCE = 60.0  # seconds after which it is given up
HELP = (
    f"Counts the singular values of what is seen up to the largest gap, and leaves {SPARE} to "
    "spare. Of 100 draws of the usual matrix, 100 × 100 of rank 5, the count was right for 100 "
    "with 30 % of the entries seen, for 62 with 20 % and for 6 with 10 %. Noise hides modes, too."
)
_FACTS = [sys.executable, "-m", "dynamics.engine.training.facts"]


def found() -> int | None:
    """The rank that has been guessed since the last run of the page's script; None for none."""
    asked = st.session_state.get(ASKED)
    if asked is None:
        return None
    process = held(NAME, asked, _FACTS, {"given": asked})
    if process.look() > PATIENCE:
        process.end()
    if not (process.over or process.ended):
        return None
    del st.session_state[ASKED]
    values: list[float] = []
    if process.status == 0:
        values = json.loads(process.text("output"))["surrogate_singular_values"]
    forget(NAME)
    if not values:
        st.toast("The rank could not be guessed.", icon=":material/error:")
        return None
    rank = gap(values)
    words = "singular value stands" if rank == 1 else "singular values stand"
    st.toast(f"{rank} {words} out: r̂ leaves {SPARE} to spare.", icon=":material/auto_fix_high:",
             duration="long")  # fmt: skip
    return rank


def offer(values: Mapping[str, Any]) -> None:
    """The button, where a matrix of low rank is drawn, or that its guess is on its way."""
    problem = traits.problem(values["problem"])
    drawn = problem.low_rank and not problem.table and not problem.data
    if not drawn or values["rows"] * values["cols"] > LARGEST:
        return
    if st.session_state.get(ASKED):
        _wait()
        return
    st.button(
        "Guess r̂ from what is seen",
        on_click=_ask,
        args=(dict(values),),
        type="tertiary",
        icon=":material/auto_fix_high:",
        key="guess rank",
        help=HELP,
    )


def _ask(values: Mapping[str, Any]) -> None:
    try:
        config = Config.from_dict(dict(values) | {"networks": "compressed", "changes": ""})
    except ConfigError:
        return  # the page tells what is wrong
    side = min(config.shape)
    wide = dataclasses.replace(config, rank_bound=max(1, min(MOST, side // 2)))
    st.session_state[ASKED] = json.dumps(wide.to_dict())


@st.fragment(run_every=PACE)
def _wait() -> None:
    asked = st.session_state.get(ASKED)
    process = held(NAME, asked, _FACTS, {"given": asked}) if asked else None
    if process is None or process.over or process.look() > PATIENCE:
        st.rerun()
    st.caption("Looking at the singular values of what is seen …")
