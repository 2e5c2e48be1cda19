"""Export: a run's trajectories as CSV, NPZ, JSON or a standalone HTML page of its figures."""

import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics import registry
from dynamics.expected import beside
from dynamics.runs import Run, RunError
from dynamics.trajectory import COUNTERS, Trajectory

if TYPE_CHECKING:
    import pandas as pd

FIGURES = ("recovery_error", "losses", "singular_values", "principal_angles")


def table(trajectories: list[Trajectory]) -> "pd.DataFrame":
    """One row for each network and record; vectors spread over columns numbered from 1."""
    import pandas as pd  # 60 MB, which a page that only offers the download should not hold

    frames = []
    for trajectory in trajectories:
        columns: dict[str, Any] = {"network": [trajectory.network] * len(trajectory.steps)}
        columns |= {"step": trajectory.steps.astype(int)}
        columns |= {counter: getattr(trajectory, counter) for counter in COUNTERS}
        for name, values in trajectory.series.items():
            for index in np.ndindex(values.shape[1:]):
                label = ".".join([name, *(str(i + 1) for i in index)])
                columns[label] = values[(slice(None), *index)]
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def csv(run: Run) -> bytes:
    """The table, numbers in full precision."""
    return table(run.trajectories).to_csv(index=False).encode()


def npz(run: Run) -> bytes:
    """Arrays ``<network>_<series>``, records first, and ``config`` as a JSON text."""
    arrays = {"config": np.array(json.dumps(run.config.to_dict()))}
    for trajectory in run.trajectories:
        counters = {counter: getattr(trajectory, counter) for counter in ("steps", *COUNTERS)}
        for name, values in {**counters, **trajectory.series}.items():
            arrays[f"{trajectory.network}_{name}"] = values
    arrays |= {name: np.array(values) for name, values in run.layout.facts.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def as_json(run: Run) -> bytes:
    """Settings, facts and, for each network, its counters and series; NaN is null."""
    networks = {}
    for trajectory in run.trajectories:
        counters = {counter: getattr(trajectory, counter) for counter in ("steps", *COUNTERS)}
        networks[trajectory.network] = {
            name: _plain(values) for name, values in {**counters, **trajectory.series}.items()
        }
    content = {"config": run.config.to_dict(), "facts": run.layout.facts, "networks": networks}
    return json.dumps(content, allow_nan=False).encode()


def html(run: Run) -> bytes:
    """One page that needs no network: every figure that the run has numbers for."""
    import plotly.io

    trajectories = beside(run.config, run.trajectories)
    parts: list[str] = []
    for name in FIGURES:
        needs = registry.constant("figures", name, "NEEDS")
        shown = [each for each in trajectories if all(need in each.series for need in needs)]
        if shown:
            figure = registry.load("figures", name).draw(shown)
            # The library goes in once, with the first figure.
            parts.append(plotly.io.to_html(figure, full_html=False, include_plotlyjs=not parts))
    settings = "".join(
        f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in run.config.to_dict().items()
    )
    style = "body{font-family:sans-serif;max-width:60rem;margin:2rem auto}td{padding-right:2rem}"
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Run {run.key}</title>"
        f"<style>{style}</style><h1>Run {run.key}</h1>{''.join(parts)}"
        f"<h2>Settings</h2><table>{settings}</table></html>"
    ).encode()


FORMATS: dict[str, Callable[[Run], bytes]] = {
    "csv": csv,
    "npz": npz,
    "json": as_json,
    "html": html,
}


def export(run: Run, form: str) -> bytes:
    """The run in one of ``FORMATS``.

    Raises:
        RunError: if the run is damaged or has no records yet.
        ValueError: if there is no such format.
    """
    if form not in FORMATS:
        raise ValueError(f"{form!r} is not one of {', '.join(FORMATS)}.")
    if not len(run.rows()):
        raise RunError(f"Run {run.key} has no records yet.")
    return FORMATS[form](run)


def _plain(values: Any) -> list[Any]:
    """Nested lists, with None for what is not finite: JSON has no NaN."""
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    return list(plain.tolist())
