"""Forecast: what theory says of the chosen settings before any step is taken."""

import contextlib
import html
import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dynamics.core import cost
from dynamics.core.config import SETTINGS, Config
from dynamics.core.records import Trajectory
from dynamics.core.traits import short_name
from dynamics.core.words import brief, count, duration, raised, size
from dynamics.draw.look import color, written
from dynamics.draw.staircase import staircase
from dynamics.runs.run import Run, RunError, listing, root
from dynamics.teach.glossary import about
from dynamics.theory.course import expected
from dynamics.theory.forecast import Forecast, NetworkForecast, forecast
from dynamics.theory.prediction import (
    EXACT,
    FIRST_ORDER,
    FLOW,
    HEURISTIC,
    SMALL_W,
    Facts,
    Prediction,
    turning,
)
from pages.shared import settings
from pages.shared.live.component import still

TYPICAL_SPEED = 1e10  # floating-point operations a second, until a run has measured them
SKETCH = (
    "Forecast before any step: when each singular value rises, and how long that takes. Between, "
    "the curve is a sketch."
)
UNREAD = (
    "No curves before this run: when each singular value rises follows from the data, which the "
    "run reads first. Its charts then mark on their time axes where theory expects each rise."
)
NO_RISE = "No curves before this run: theory expects no singular value to rise and stay."
ESCAPES = html.escape(about("Escape", "Mode"))
LIMIT = html.escape(about("η*, stability limit"))
# How sure a prediction is, in words.
SURE = {
    EXACT: "Exact.",
    FLOW: "Exact for small steps.",
    SMALL_W: "Holds while W is small.",
    FIRST_ORDER: "Holds while W is small, with a learning backbone.",
    HEURISTIC: "An estimate.",
}
MOST_TICKS = 40  # marks on a strip


def expectation(config: Config, *, drawn: bool = False) -> None:
    """Escapes on a strip of time, stability, final loss and cost, and warnings.

    ``drawn``: as a chart, too, where the course can be forecast.

    Where classes are told apart, ``waiting`` has another one.
    """
    predicted = forecast(config)
    with st.container(border=True, key="expectation"):
        if drawn:
            if figure := staircase(config):
                with st.container(key="sketch"):
                    still(figure, SKETCH, "staircase")
            words = SKETCH if figure else _no_sketch(predicted)
            st.html(f'<p class="hint">{words}</p>')
        st.html(_table(config, predicted))
        warn(config, predicted)


def _no_sketch(predicted: Forecast) -> str:
    """Why no curve is drawn before a run."""
    if all(network.escapes.value is None for network in predicted.networks.values()):
        return UNREAD
    return NO_RISE


def warn(config: Config, predicted: Forecast) -> None:
    """What the forecast warns of, each with a button that mends it."""
    for number, advice in enumerate(predicted.warnings):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/warning: {advice.sentence}", width="stretch")
            st.button(
                f"Set {_changes(config, advice.mend)}",
                on_click=settings.adopt,
                args=(config.to_dict() | dict(advice.mend),),
                key=f"mend {number}",
            )


def normalised(run: Run) -> bool:
    """Say what the unit of normalised time is; returns whether any network has one."""
    courses = expected(run.config, Facts.of(run.layout.facts))
    units = {name: course.first for name, course in courses.items() if course.first}
    if not units:
        st.caption("Normalised time needs a predicted escape; this run has none. Steps are shown.")
        return False
    steps = (
        f"{count(unit, 'step')} ({name}, {courses[name].standing})" for name, unit in units.items()
    )
    st.caption(
        f"t₁ is the predicted step at which the first mode is half grown: {', '.join(steps)}. Runs "
        "of any ε and L fall on one curve: the first mode rises at t / t₁ = 1, mode i near s₁ / sᵢ."
    )
    return True


def _changes(config: Config, mend: Mapping[str, Any]) -> str:
    names = {name: SETTINGS[name] for name in mend if mend[name] != getattr(config, name)}
    return ", ".join(
        f"{about.title.lower()} {about.symbol} to {raised(f'{mend[name]:,.10g}')}"
        for name, about in names.items()
    )


def _table(config: Config, predicted: Forecast) -> str:
    networks = predicted.networks
    end = max(config.steps, *(_last(network.escapes) for network in networks.values()))
    turns = "".join(
        f" {html.escape(sentence)}"
        for name, network in networks.items()
        for sentence in turning(config, name, network.escapes.value or ())
    )
    body = "".join(
        _row(config, predicted, name, network, end) for name, network in networks.items()
    )
    return (
        '<table class="expect"><thead><tr><th scope="col">What to expect</th>'
        f'<th scope="col" class="strip" title="{ESCAPES}"><span>0</span>'
        f"<span>{count(end, 'step')}</span></th>"
        f'<th scope="col" title="{LIMIT}">η / η*</th><th scope="col">final loss</th>'
        '<th scope="col">operations</th><th scope="col">memory</th><th scope="col">time</th>'
        f"</tr></thead><tbody>{body}</tbody></table>"
        '<p class="hint">Each mark: a singular value reaches half its final size. Dark grey: '
        f"after your last step. ≈ marks an estimate; ? says why.{turns}</p>"
    )


def _row(
    config: Config, predicted: Forecast, name: str, network: NetworkForecast, end: float
) -> str:
    ratio = predicted.ratio(name)
    total = cost.start(config, name) + network.operations.value * config.steps
    seconds = total / _speeds().get(name, TYPICAL_SPEED)
    zone = predicted.zone(name) or "unknown"
    margin = "unknown" if ratio is None else raised(f"{ratio:.2g}, {zone}")
    margin = _mark(network.eta_star) + margin
    floor = _mark(network.floor) + _number(network.floor.value)
    cells = (
        f'<td class="{zone}">{reason(margin, why(network.eta_star))}</td>',
        f"<td>{reason(floor, why(network.floor))}</td>",
        f"<td>{brief(total)}</td>",
        f"<td>{size(network.memory.value)}</td>",
        f"<td>{duration(max(seconds, 0.1))}</td>",
    )
    return f"<tr>{name_of(name)}{_strip(config, name, network.escapes, end)}{''.join(cells)}</tr>"


def _strip(config: Config, name: str, escapes: Prediction, end: float) -> str:
    """Marks at the escapes, on a line from step 0 to the last step or escape."""
    steps = [step for step in escapes.value or () if math.isfinite(step)]
    words = ", ".join(f"{step:,.0f}" for step in steps[:MOST_TICKS]) or "not known"
    ticks = {f"mode {number}": step for number, step in enumerate(steps[:MOST_TICKS], 1)}
    return strip(config, name, ticks, end, f"modes half grown at steps {words}", why(escapes))


def strip(
    config: Config, name: str, ticks: Mapping[str, float], end: float, label: str, why: str
) -> str:
    """A line from step 0 to ``end``, with a mark at each of the ``ticks`` and their words."""
    marks = "".join(
        f'<i style="left:{100 * step / end:.2f}%;background:{color(name)}" '
        f'title="{words}: step {step:,.0f}"></i>'
        for words, step in ticks.items()
    )
    beyond = f'<b style="left:{100 * config.steps / end:.2f}%"></b>'
    return (
        f'<td class="strip"><div role="img" aria-label="{short_name(name)}: {label}" '
        f'title="{why}">{beyond}{marks}</div>{reason("", why)}</td>'
    )


def reason(words: str, why: str) -> str:
    """Words, and a sign that opens how sure they are and why, by pointer, key or finger.

    ``why`` is ready for HTML.
    """
    return (
        f'<span class="reasoned">{words}<details name="why">'
        f'<summary aria-label="How sure, and why">?</summary><p>{why}</p></details></span>'
    )


def name_of(network: str) -> str:
    """The head of a network's row."""
    return f'<th scope="row" style="color:{written(network)}">{short_name(network)}</th>'


def _last(escapes: Prediction) -> float:
    """The step of the last escape and 4 % more, so that its mark is not on the strip's edge."""
    return max((step for step in escapes.value or () if math.isfinite(step)), default=0.0) * 1.04


def _mark(prediction: Prediction) -> str:
    return "" if prediction.standing == EXACT or prediction.value is None else "≈ "


def why(prediction: Prediction) -> str:
    """How sure a prediction is and why, for an attribute of HTML."""
    words = " ".join([SURE.get(prediction.standing, "Not known."), *prediction.breaks])
    return html.escape(words, quote=True)


def _number(value: float | None) -> str:
    return "unknown" if value is None else brief(value)


@st.cache_data(ttl=30, show_spinner=False)
def _speeds() -> dict[str, float]:
    """Operations per second of each network in its newest finished run, of the last 20 runs."""
    speeds: dict[str, float] = {}
    for run, _, status in listing(root())[:20]:
        trajectories: list[Trajectory] = []
        if status.phase == "done":
            with contextlib.suppress(RunError):  # somebody's damaged run is no matter of this page
                trajectories = run.only(())
        for trajectory in trajectories:
            if len(trajectory.steps) and trajectory.seconds[-1] > trajectory.seconds[0]:
                made = trajectory.operations[-1] - trajectory.operations[0]
                speed = made / (trajectory.seconds[-1] - trajectory.seconds[0])
                speeds.setdefault(trajectory.network, speed)
    return speeds
