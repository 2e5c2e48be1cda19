"""Export: a run's numbers in every format, and its charts as pages and pictures."""

import math
from collections.abc import Callable, Sequence

from dynamics.core import registry
from dynamics.draw.chart import marked
from dynamics.draw.panel import FIGURES, MAPS, chart, moments
from dynamics.export import script, tables
from dynamics.export.caption import about
from dynamics.export.formats import DATA, FORMATS
from dynamics.export.layout.sizes import Print
from dynamics.export.tables import as_json
from dynamics.runs.run import Run
from dynamics.theory.course import beside


def html(run: Run) -> bytes:
    """One page that needs no network: every figure that the run has numbers for."""
    from dynamics.export.render.html import chart, page

    trajectories = beside(run.config, run.trajectories)
    parts: list[str] = []
    for name in FIGURES:
        needs = registry.constant("charts", name, "NEEDS")
        shown = [each for each in trajectories if all(need in each.series for need in needs)]
        if shown:
            parts.append(chart(marked(name, shown)))
    settings = "".join(
        f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in run.config.to_dict().items()
    )
    body = f"<h1>Run {run.key}</h1>{''.join(parts)}<h2>Settings</h2><table>{settings}</table>"
    return page(f"Run {run.key}", body, "td{padding-right:2rem}").encode()


def picture(
    runs: Sequence[Run],
    form: str,
    how: Print,
    panel: str = "",
    versus: str = "steps",
    at: float = math.inf,
) -> bytes:
    """A chart of the runs in one of ``CHARTS``; without a panel their errors, or else losses.

    Raises:
        RunError: as ``chart``.
        PictureError: if it cannot be drawn here.
    """
    from dynamics.export import picture as pictures

    known = all("recovery_error" in shapes for r in runs for shapes in r.layout.shapes.values())
    panel = panel or ("recovery_error" if known else "losses" if len(runs) == 1 else "test_loss")
    figure = chart(runs, panel, versus, at=at).to_plotly_json()
    words = about([run.config for run in runs], panel)
    filmed = FORMATS[form].kind == "film" and panel.partition("/")[0] == MAPS
    film = moments(runs[0]) if filmed else []
    return pictures.picture(figure, form, how, words, film)


WRITERS: dict[str, Callable[[Run], bytes]] = {  # one for each of ``DATA``
    "csv": lambda run: tables.csv([run]),
    "npz": tables.npz,
    "json": as_json,
    "html": html,
    "zip": lambda run: tables.bundle([run], f"run-{run.key}"),
    "script": lambda run: script.script(run).encode(),
    "notebook": lambda run: script.notebook(run).encode(),
}


def export(run: Run, form: str) -> bytes:
    """The run in one of the formats ``DATA``.

    Raises:
        RunError: if the run is damaged or has no records yet.
        ValueError: if there is no such format.
    """
    if form not in DATA:
        raise ValueError(f"{form!r} is not one of {', '.join(DATA)}.")
    run.need_records()
    return WRITERS[form](run)
