"""Waiting: when networks that tell classes apart begin to learn, by theory, before a run starts.

It follows from the features of the images, and these need torch, which the web process has not: a
process of its own draws them, once for all settings that do not change them.
"""

import json
import math
import sys
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.traits import short_name
from dynamics.core.words import count
from dynamics.runs.run import Run
from dynamics.theory.forecast import forecast
from dynamics.theory.plateau import LOOK
from dynamics.theory.prediction import HEURISTIC, Facts, Prediction
from pages.shared.files.process import PACE, Process, forget_ended, held
from pages.shared.workbench.forecast import name_of, reason, strip, warn, why

QUICK = 1_000_000  # numbers of all images up to which they are drawn before a run
PATIENCE = 60.0  # seconds after which drawing them is given up
REFUSED = 2  # exit status of a process that says why
KEPT = 100  # drawings that the web process remembers
DECIDE = (  # the settings that change what is drawn
    "problem", "dataset", "backbone", "alpha_first", "activation", "features", "images",
    "validation", "label_noise", "networks", "width", "rank_bound", "depth", "initialization",
    "seed_data", "seed_noise", "seed_backbone", "seed_init",
)  # fmt: skip
MEANWHILE = (
    "With a small start the loss first stays flat. For how long follows from the first gradient "
    "and from how the backbone changes it."
)
LATER = (
    "The forecast of when each network begins to learn comes with the first record, once the run "
    "has read its images: dashed in the chart of singular values."
)
_drawn: dict[tuple[Any, ...], Facts] = {}


def expectation(config: Config, run: Run | None) -> None:
    """Plateaus on a strip of time, or why they are not known, and warnings.

    Args:
        config: the settings.
        run: the run that is shown; if it draws the same, its facts are taken.
    """
    predicted = forecast(config)
    unseen = any(LOOK in network.predictions["plateau"].breaks
                 for network in predicted.networks.values())  # fmt: skip
    said: list[str] = []
    drawing = None
    if unseen:
        found = _facts(config, run)
        if isinstance(found, Facts):
            predicted = forecast(config, found)
        elif isinstance(found, Process):
            drawing = found
        else:
            said = [found]
    ends = {name: network.predictions["plateau"] for name, network in predicted.networks.items()}
    known = {name: end for name, end in ends.items() if end.value is not None}
    said = said or _unknown({name: end for name, end in ends.items() if name not in known})
    if not (known or unseen):
        said = ["There is no forecast here of when each network begins to learn.", *said]
    with st.container(border=True, key="expectation"):
        if known:
            st.html(_table(config, known))
        if drawing:
            _poll(drawing)
        elif said:
            st.caption(" ".join(said))
        warn(config, predicted)


def told(step: float, standing: str) -> str:
    """A forecast step and how sure it is: ``241``, ``≈ 7``, ``never``."""
    about = "≈ " if standing == HEURISTIC else ""
    return f"{about}{step:,.0f}" if math.isfinite(step) else "never"


def _facts(config: Config, run: Run | None) -> Facts | Process | str:
    """The facts of the settings, the process that draws them, or a sentence of why neither is."""
    key = _key(config)
    learning = (*key[:-1], True)  # what is drawn for a backbone that learns serves a frozen one
    for each in (key, learning):
        if each in _drawn:
            return _drawn[each]
    if run and _key(run.config) == key:
        found = Facts.of(run.layout.facts)
        if found.gradient_singular_values:
            return found
    known = config.contents
    if not known or known.images * math.prod(known.shape) > QUICK:
        return LATER
    forget_ended("facts")
    command = [sys.executable, "-m", "dynamics.engine.training.facts"]
    process = held("facts", repr(key), command, {"given": json.dumps(config.to_dict())})
    if process.look() > PATIENCE:
        process.end()
    if not (process.over or process.ended):
        return process
    return _kept(key, process)


def _kept(key: tuple[Any, ...], process: Process) -> Facts | str:
    """What a process that is over has drawn, or a sentence of why it has not."""
    if process.status != 0:
        errors = process.text("errors").strip().splitlines()
        return errors[-1] if process.status == REFUSED and errors else LATER
    for old in list(_drawn)[: -KEPT + 1]:
        _drawn.pop(old, None)
    return _drawn.setdefault(key, Facts.of(json.loads(process.text("output"))))


def _key(config: Config) -> tuple[Any, ...]:
    return *(getattr(config, name) for name in DECIDE), bool(config.backbone_rate)


@st.fragment(run_every=PACE)
def _poll(process: Process) -> None:
    process.look()
    if process.over:
        st.rerun()
    st.caption("Reading the first gradient: when does each network begin to learn?")


def _unknown(ends: Mapping[str, Prediction]) -> list[str]:
    """Why plateaus are not known, each sentence after the names of its networks."""
    sentences: dict[str, list[str]] = {}
    for name, end in ends.items():
        for sentence in end.breaks:
            sentences.setdefault(sentence, []).append(short_name(name))
    return [
        sentence if len(names) == len(ends) else f"{', '.join(names).capitalize()}: {sentence}"
        for sentence, names in sentences.items()
    ]


def _table(config: Config, known: Mapping[str, Prediction]) -> str:
    ends = [step for end in known.values() for step in end.value if math.isfinite(step)]
    last = max(config.steps, 1.04 * max(ends, default=0.0))
    body = "".join(_row(config, name, end, last) for name, end in known.items())
    return (
        '<table class="expect"><thead><tr><th scope="col">What to expect</th>'
        f'<th scope="col" class="strip"><span>0</span><span>{count(last, "step")}</span></th>'
        '<th scope="col">begins to learn at step</th>'
        f"</tr></thead><tbody>{body}</tbody></table>"
        f'<p class="hint">{MEANWHILE} Each mark: the train loss has fallen by 10 %, and learning '
        "begins. Dark grey: after your last step. ≈ marks an estimate; ? says why.</p>"
    )


def _row(config: Config, name: str, end: Prediction, last: float) -> str:
    over = end.value[-1]
    step = told(over, end.standing)
    ticks = {"begins to learn": over} if math.isfinite(over) else {}
    marked = strip(config, name, ticks, last, f"begins to learn at step {step}", why(end))
    return f"<tr>{name_of(name)}{marked}<td>{reason(step, why(end))}</td></tr>"
