"""Overlay: our curves with the authors' numbers over them, for one draw or over seeds."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dynamics.core.records import Array
from dynamics.core.seeds import FEW, QUARTILES, shown
from dynamics.draw.chart import blank
from dynamics.draw.look import DASHES, GREY, color
from dynamics.draw.time_axis import along
from dynamics.paper.figure import Curve, Found, band, values

NETWORKS = ("original", "compressed")
THIN = 2e-3  # share of the largest value; a band in space that is thinner is not drawn
BEHIND = 0.05  # offset of a mode's band behind its line, in modes, to avoid flicker
FAINT, TINT = 0.45, 0.18  # opacity of a seed's line and of a band
POINTS = 40  # number of the authors' points on a curve, which stays visible between them


def curves(
    found: Found,
    lines: Sequence[Curve],
    title: str,
    y: str,
    *,
    versus: str = "steps",
    log: bool = True,
) -> go.Figure:
    """Every curve over a time axis; over gradient steps, also the authors' numbers as points.

    Over several seeds: the median, the interquartile band or, of few seeds, a faint line for each,
    and N in the legend. ``versus`` is a key of ``time_axis.VERSUS``.
    """
    over = f": median and {shown(found.seeds)}, N = {found.seeds}" if found.seeds > 1 else ""
    figure = blank(title + over, versus, y, log=log)
    for curve in lines:
        trajectories = found.of(curve.run, curve.network)
        steps, (low, middle, high) = band(trajectories, curve)
        clocks = [along(trajectory, versus, steps) for trajectory in trajectories]
        times = np.median(clocks, axis=0)
        strong = color(curve.network, curve.shade)
        name = curve.label
        if found.seeds >= FEW:
            fill(figure, times, low, high, strong)
        elif found.seeds > 1:
            for trajectory in trajectories:
                own = along(trajectory, versus, trajectory.steps)
                faint(figure, own, values(trajectory, curve), strong)
        if found.seeds > 1:
            name += f" (N = {found.seeds})"
        figure.add_scatter(
            x=times,
            y=middle,
            name=name,
            mode="lines",
            line={"color": strong, "dash": DASHES.get(curve.network, "solid"), "width": 2},
            hovertemplate=f"{curve.label}: %{{y}} at %{{x}}<extra></extra>",
        )
    if versus == "steps":  # the authors' times on this machine are not known
        _publish(figure, found, lines)
    legend = {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top"}
    return figure.update_layout(legend=legend)


def both(found: Found, lines: Sequence[Curve], title: str, y: str) -> list[go.Figure]:
    """Two panels: the curves over steps, and over seconds of training on this run's machine."""
    return [curves(found, lines, title, y, versus=versus) for versus in ("steps", "seconds")]


def modes(found: Found, run: str, title: str) -> go.Figure:
    """Both networks' singular values in space, over steps and modes.

    Over several seeds: the median, upright bands between the quartiles or, of few seeds, a faint
    line for each, and N above each chart.
    """
    count = f", N = {found.seeds} seeds" if found.seeds > 1 else ""
    figure = make_subplots(
        1,
        2,
        specs=[[{"type": "scene"}] * 2],
        subplot_titles=[f"{network} network{count}" for network in NETWORKS],
        horizontal_spacing=0.02,
    )
    over = f", median and {shown(found.seeds)}" if found.seeds > 1 else ""
    for column, network in enumerate(NETWORKS, 1):
        for trace in _in_space(found, run, network):
            figure.add_trace(trace, row=1, col=column)
    figure.update_annotations(font_size=12, y=0.94)
    figure.update_scenes(
        xaxis=_axis("gradient steps"),
        yaxis=_axis("mode i"),
        zaxis=_axis("σ of mode i") | {"exponentformat": "power"},
        camera={"eye": {"x": -1.8, "y": -2.0, "z": 1.0}, "center": {"x": 0, "y": 0, "z": -0.2}},
        aspectmode="cube",
    )
    return figure.update_layout(
        title={"text": title + over, "x": 0, "xref": "paper", "font": {"size": 15}},
        margin={"l": 8, "r": 8, "t": 64, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
    )


def _axis(title: str) -> dict[str, Any]:
    """An axis of a chart in space."""
    return {
        "tickfont": {"size": 12},
        "nticks": 5,
        "backgroundcolor": "rgba(0,0,0,0)",
        "gridcolor": GREY,
        "title": {"text": title, "font": {"size": 13}},
    }


def _in_space(found: Found, run: str, network: str) -> Iterator[Any]:
    """Yields a line for each mode of the target and one more mode, behind it what seeds scatter."""
    last = len(found.one(run, network).facts["target_singular_values"])
    for mode in range(last + 1):
        curve = Curve("", run, network, "singular_values", (mode,))
        steps, (low, middle, high) = band(found.of(run, network), curve)
        if found.seeds >= FEW:
            yield _ribbon(steps, mode + 1, low, high, color(network, 0.8))
        elif found.seeds > 1:
            for trajectory in found.of(run, network):
                sizes = values(trajectory, curve)
                yield _of_mode(trajectory.steps, mode + 1 + BEHIND, sizes, color(network, 0.8), 2)
        yield _of_mode(steps, mode + 1, middle, color(network, mode / (last + 1)), 5).update(
            hovertemplate=f"σ<sub>{mode + 1}</sub>: %{{z}} at %{{x}}<extra></extra>",
            hoverinfo="all",
        )


def _of_mode(steps: Array, place: float, sizes: Array, stroke: str, width: float) -> go.Scatter3d:
    """A mode's line in space."""
    return go.Scatter3d(
        x=steps,
        y=np.full(len(steps), place),
        z=sizes,
        mode="lines",
        line={"color": stroke, "width": width},
        hoverinfo="skip",
        showlegend=False,
    )


def _ribbon(steps: Array, mode: int, low: Array, high: Array, pale: str) -> go.Surface:
    """The interquartile band of a mode in space, upright in the mode's plane.

    It is opaque, because WebGL draws transparent surfaces over lines that are nearer.
    """
    return go.Surface(
        x=np.stack([steps, steps]),
        y=np.full((2, len(steps)), mode + BEHIND),
        z=np.where(high - low > THIN * high.max(), [low, high], np.nan),
        colorscale=[[0, pale], [1, pale]],
        lighting={"ambient": 1, "diffuse": 0, "specular": 0, "fresnel": 0},
        showscale=False,
        hoverinfo="skip",
        showlegend=False,
    )


def faint(figure: go.Figure, x: Array, y: Array, strong: str, mode: str = "lines") -> None:
    """Add the line of one of few seeds; with ``mode`` ``markers``, its points."""
    figure.add_scatter(
        x=x,
        y=y,
        mode=mode,
        line={"color": _clear(strong, FAINT), "width": 1},
        marker={"symbol": "circle", "size": 4, "color": _clear(strong, FAINT)},
        hoverinfo="skip",
        showlegend=False,
    )


def around(figure: go.Figure, x: Array, by_seed: Array, strong: str) -> None:
    """Add what is around a median over x: of seeds × points a band or, of few, each seed's line."""
    if len(by_seed) >= FEW:
        low, _, high = np.percentile(by_seed, QUARTILES, axis=0)
        fill(figure, x, low, high, strong)
    elif len(by_seed) > 1:
        for of_seed in by_seed:
            faint(figure, x, of_seed, strong)


def fill(figure: go.Figure, steps: Array, low: Array, high: Array, strong: str) -> None:
    """Add an interquartile band: out along the upper quartile, back along the lower quartile."""
    figure.add_scatter(
        x=np.concatenate([steps, steps[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        fillcolor=_clear(strong, TINT),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )


def _clear(strong: str, opacity: float) -> str:
    red, green, blue = (int(strong[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _publish(figure: go.Figure, found: Found, lines: Sequence[Curve]) -> None:
    """Add the authors' numbers at every n-th record, and at the last record."""
    published = [curve for curve in lines if curve.published in found.published]
    longest = max((len(found.published[curve.published]) for curve in published), default=0)
    every = max(1, longest // POINTS)
    for curve in published:
        theirs = found.published[curve.published]
        picks = np.unique([*range(0, len(theirs), every), len(theirs) - 1])
        strong = color(curve.network, curve.shade)
        figure.add_scatter(
            x=picks * found.one(curve.run, curve.network).steps[1],
            y=theirs[picks],
            name="the authors' numbers",
            legendgroup="published",
            showlegend="the authors' numbers" not in {trace.name for trace in figure.data},
            mode="markers",
            marker={"symbol": "circle-open", "size": 6, "color": strong, "line": {"width": 1.2}},
            hovertemplate=f"{curve.label}, the authors: %{{y}} at %{{x}}<extra></extra>",
        )
