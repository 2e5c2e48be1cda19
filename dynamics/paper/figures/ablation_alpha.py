"""Ablation of α: the larger the discrepant rate, the fewer steps, up to a factor of eight"""

from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go

from dynamics.core.records import Array
from dynamics.core.seeds import FEW, QUARTILES, shown
from dynamics.draw.chart import blank
from dynamics.draw.look import color
from dynamics.paper.check import RECORD, Check
from dynamics.paper.figure import Found, deviation, deviation_check, losses
from dynamics.paper.overlay import around, faint

SOURCE = "fig_ablation_dlr_mc.ipynb"
CAPTION = "Steps, and seconds, until the train loss is at 10⁻¹⁰, over α; the original has none."
EVERY = 100  # steps between records
COMMON = {
    "problem": "completion",
    "matrices": "ablation_alpha",
    "rows": 100,
    "cols": 100,
    "rank": 5,
    "observed": 0.2,
    "rank_bound": 10,
    "learning_rate": 10.0,
    "steps": 100_000,
    "record_every": EVERY,
    "tolerance": 1e-10,
}
ALPHAS = [number / 4 for number in range(2, 40)]  # 0.5 to 9.75
CONFIGS = {"original": COMMON | {"networks": "original"}} | {
    f"α = {alpha:g}": COMMON | {"networks": "compressed", "alpha": alpha} for alpha in ALPHAS
}
CURVES = losses("original", "original", "original", "original")


def draw(found: Found) -> list[go.Figure]:
    """Two panels: steps and seconds until each α stops; the original is a level."""
    end = " to train loss 10<sup>−10</sup>"
    steps = _panel(found, "steps", f"Gradient steps{end}")
    stops = found.published.get("compressed_stop_records")
    if stops is not None:
        steps.add_scatter(
            x=ALPHAS,
            y=stops * EVERY,
            name="the authors' numbers",
            mode="markers",
            marker={"symbol": "circle-open", "size": 12, "color": color("compressed")},
        )
    return [steps, _panel(found, "seconds", f"Training time (s){end}")]


def _panel(found: Found, clock: str, y: str) -> go.Figure:
    figure = blank("Ablation of α", "steps", y)
    figure.update_xaxes(title_text="Discrepant learning rate α")
    of_alphas = np.array([_last(found, f"α = {alpha:g}", clock) for alpha in ALPHAS])
    low, middle, high = np.percentile(of_alphas, QUARTILES, axis=1)
    over = f" (median and {shown(found.seeds)}, N = {found.seeds})" if found.seeds > 1 else ""
    if 1 < found.seeds < FEW:
        for of_seed in of_alphas.T:
            faint(figure, np.array(ALPHAS), of_seed, color("compressed"), "markers")
    figure.add_scatter(
        x=ALPHAS,
        y=middle,
        name=f"compressed{over}",
        mode="lines+markers",
        line={"color": color("compressed"), "width": 2, "dash": "dash"},
        marker={"size": 6},
        error_y={
            "array": high - middle,
            "arrayminus": middle - low,
            "visible": found.seeds >= FEW,
            "width": 0,
        },
    )
    ends = np.array([ALPHAS[0], ALPHAS[-1]])
    of_original = _last(found, "original", clock)
    around(figure, ends, np.stack([of_original] * 2, 1), color("original"))
    figure.add_scatter(
        x=ends,
        y=[np.median(of_original)] * 2,
        name=f"original{over}",
        mode="lines",
        line={"color": color("original"), "width": 2},
    )
    return figure.update_yaxes(rangemode="tozero", separatethousands=True)


def checks(found: Found) -> Iterator[Check]:
    """The last record of each α, and how far its last train loss is from the authors'."""
    stops = found.published.get("compressed_stop_records")
    final = found.published.get("compressed_final_train_loss")
    last = []
    for number, alpha in enumerate(ALPHAS):
        trajectory = found.one(f"α = {alpha:g}", "compressed")
        last.append(trajectory.series["train_loss"][-1])
        stop = None if stops is None else float(stops[number])
        yield Check(f"last record, α = {alpha:g}", len(trajectory.steps) - 1, stop, kind=RECORD)
    if final is not None:
        yield deviation_check("last train losses", deviation(np.array(last), final))


def _last(found: Found, run: str, clock: str) -> Array:
    """The last steps or seconds of each seed; ``clock`` is ``steps`` or ``seconds``."""
    last = [
        getattr(trajectory, clock)[-1]
        for trajectories in found.runs[run]
        for trajectory in trajectories.values()
    ]
    return np.array(last)
