"""Forecast: what theory says of the chosen settings, before a step is made."""

import html
import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dynamics.core.config import SETTINGS, Config
from dynamics.core.traits import short_name
from dynamics.core.words import brief, duration, raised, size
from dynamics.draw.look import color
from dynamics.runs.run import Run, listing, root
from dynamics.theory import stability
from dynamics.theory.course import expected
from dynamics.theory.forecast import Forecast, NetworkForecast, forecast
from dynamics.theory.prediction import EXACT, Facts, Prediction, turning
from pages.shared import settings

TYPICAL_SPEED = 1e10  # floating-point operations a second, until a run has measured them
MOST_TICKS = 40


def expectation(config: Config) -> None:
    """Escapes on a strip of time, stability, final loss and cost, and warnings."""
    predicted = forecast(config)
    with st.container(border=True, key="expectation"):
        st.html(_table(config, predicted))
        for number, advice in enumerate(predicted.warnings):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f":material/warning: {advice.sentence}", width="stretch")
                st.button(
                    f"Set {_changes(config, advice.mend)}",
                    key=f"mend {number}",
                    on_click=settings.adopt,
                    args=(config.to_dict() | dict(advice.mend),),
                )


def normalised(run: Run) -> bool:
    """Say what the unit of normalised time is; returns whether any network has one."""
    found = expected(run.config, Facts.of(run.layout.facts))
    units = {name: each.first for name, each in found.items() if each.first}
    if not units:
        st.caption("Normalised time needs a predicted escape; this run has none. Steps are shown.")
        return False
    each = (f"{unit:,.0f} steps ({name}, {found[name].standing})" for name, unit in units.items())
    st.caption(
        f"t₁ is the predicted step at which the first mode is half grown: {', '.join(each)}. Runs "
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
    end = max(config.steps, *(_last(each.escapes) for each in predicted.networks.values()))
    turns = "".join(
        f" {html.escape(sentence)}"
        for name, each in predicted.networks.items()
        for sentence in turning(config, name, each.escapes.value or ())
    )
    body = "".join(
        _row(config, predicted, name, each, end) for name, each in predicted.networks.items()
    )
    return (
        '<table class="expect"><thead><tr><th scope="col">What to expect</th>'
        f'<th scope="col" class="strip"><span>0</span><span>{end:,.0f} steps</span></th>'
        '<th scope="col">η / η*</th><th scope="col">final loss</th>'
        '<th scope="col">operations</th><th scope="col">memory</th><th scope="col">time</th>'
        f"</tr></thead><tbody>{body}</tbody></table>"
        '<p class="hint">Each mark: a singular value reaches half its final size. Dark grey: '
        f"after your last step. ≈ marks an estimate; hover to see why.{turns}</p>"
    )


def _row(config: Config, predicted: Forecast, name: str, each: NetworkForecast, end: float) -> str:
    ratio = predicted.ratio(name)
    total = each.operations.value * config.steps
    seconds = total / _speeds().get(name, TYPICAL_SPEED)
    zone = stability.zone(ratio) if ratio is not None else "unknown"
    cells = (
        f'<td class="{zone}" title="{_why(each.eta_star)}">{_mark(each.eta_star)}'
        f"{'unknown' if ratio is None else raised(f'{ratio:.2g}, {zone}')}</td>",
        f'<td title="{_why(each.floor)}">{_mark(each.floor)}{_number(each.floor.value)}</td>',
        f"<td>{brief(total)}</td>",
        f"<td>{size(each.memory.value)}</td>",
        f"<td>{duration(max(seconds, 0.1))}</td>",
    )
    head = f'<th scope="row" style="color:{color(name)}">{short_name(name)}</th>'
    return f"<tr>{head}{_strip(config, name, each.escapes, end)}{''.join(cells)}</tr>"


def _strip(config: Config, name: str, escapes: Prediction, end: float) -> str:
    """Marks at the escapes, on a line from step 0 to the last step or escape."""
    known = [step for step in escapes.value or () if math.isfinite(step)]
    marks = "".join(
        f'<i style="left:{100 * step / end:.2f}%;background:{color(name)}" '
        f'title="mode {number}: step {step:,.0f}"></i>'
        for number, step in enumerate(known[:MOST_TICKS], 1)
    )
    words = ", ".join(f"{step:,.0f}" for step in known[:MOST_TICKS]) or "not known"
    beyond = f'<b style="left:{100 * config.steps / end:.2f}%"></b>'
    network = short_name(name)
    return (
        f'<td class="strip"><div role="img" aria-label="{network}: modes half grown at steps '
        f'{words}" title="{_why(escapes)}">{beyond}{marks}</div></td>'
    )


def _last(escapes: Prediction) -> float:
    return max((step for step in escapes.value or () if math.isfinite(step)), default=0.0) * 1.04


def _mark(prediction: Prediction) -> str:
    return "" if prediction.standing == EXACT or prediction.value is None else "≈ "


def _why(prediction: Prediction) -> str:
    return html.escape(f"{prediction.standing}. {' '.join(prediction.breaks)}".strip(), quote=True)


def _number(value: float | None) -> str:
    return "unknown" if value is None else brief(value)


@st.cache_data(ttl=30, show_spinner=False)
def _speeds() -> dict[str, float]:
    """Operations a second of each network, in the last finished run on this machine."""
    found: dict[str, float] = {}
    for run, _, status in listing(root())[:20]:
        if status.phase == "done":
            for each in run.trajectories:
                if len(each.steps) and each.seconds[-1] > 0:
                    found.setdefault(each.network, each.operations[-1] / each.seconds[-1])
    return found
