"""Export: a run's numbers in every format, and its charts as pages and pictures."""

import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dynamics import archive, maps, registry, script
from dynamics.caption import about, labels
from dynamics.dress import Print
from dynamics.expected import beside
from dynamics.figure import VERSUS, compared, marked
from dynamics.runs import Run, RunError
from dynamics.trajectory import COUNTERS

MAPS = "heat_maps"
MOMENTS = 36  # of a film of heat maps
FIGURES = ("recovery_error", "losses", "singular_values", "principal_angles")


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
    from dynamics import standalone

    trajectories = beside(run.config, run.trajectories)
    parts: list[str] = []
    for name in FIGURES:
        needs = registry.constant("figures", name, "NEEDS")
        shown = [each for each in trajectories if all(need in each.series for need in needs)]
        if shown:
            parts.append(standalone.chart(marked(name, shown)))
    settings = "".join(
        f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in run.config.to_dict().items()
    )
    body = f"<h1>Run {run.key}</h1>{''.join(parts)}<h2>Settings</h2><table>{settings}</table>"
    return standalone.page(f"Run {run.key}", body, "td{padding-right:2rem}").encode()


def chart(
    runs: Sequence[Run],
    panel: str,
    versus: str = "steps",
    *,
    theory: bool = True,
    at: float = math.inf,
) -> Any:
    """A panel of one run, ``figure`` or ``figure/network``, or one series of several runs.

    ``theory`` says whether what it expects of a single run is drawn, too; ``at`` is the step of
    what shows one moment, the last one otherwise.

    Raises:
        RunError: if there are no records, no such figure, or nothing in the runs that it draws.
    """
    if versus not in VERSUS:
        raise RunError(f"There is no axis {versus[:40]!r}; take one of {', '.join(VERSUS)}.")
    for run in runs:
        run.need_records()
    measured = any(panel in shapes for run in runs for shapes in run.layout.shapes.values())
    if len(runs) > 1 or (measured and panel not in registry.options("figures")):
        return _series(runs, panel, versus)
    return _panel(runs[0], panel, versus, theory=theory or versus == "normalised", at=at)


def _series(runs: Sequence[Run], name: str, versus: str) -> Any:
    named = labels([run.config for run in runs])
    drawn = [
        (label, beside(run.config, run.trajectories))
        for label, run in zip(named, runs, strict=True)
    ]
    figure = compared(drawn, name, versus)
    if not figure.data:
        raise RunError(f"None of these runs has a {name.replace('_', ' ')[:40]}.")
    return figure


def _panel(run: Run, panel: str, versus: str, *, theory: bool, at: float) -> Any:
    stem, _, network = panel.partition("/")
    if stem not in registry.options("figures"):
        known = ", ".join(registry.options("figures"))
        raise RunError(f"There is no figure {stem[:40]!r}; take one of {known}.")
    told, names = run.trajectories, [""]
    names += [each.network for each in told]
    if network not in names:
        raise RunError(
            f"Run {run.key} has no network {network[:40]!r}; it has {', '.join(names[1:])}."
        )
    if theory:
        told = beside(run.config, told)
    if registry.constant("figures", stem, "KIND") == "map":  # all networks' maps are one chart
        told, network = maps.shown(run, told, at), ""
    needs = registry.constant("figures", stem, "NEEDS", ())
    trajectories = [
        each
        for each in told
        if network in ("", each.network) and all(need in each.series for need in needs)
    ]
    if not trajectories:
        raise RunError(f"Run {run.key} has nothing recorded for {panel[:40]}.")
    return marked(stem, trajectories, versus)


def filmed(panel: str, form: str) -> bool:
    """Whether a file is a film of a run's heat maps."""
    return form in FILMS and panel.partition("/")[0] == MAPS


def moments(run: Run) -> list[dict[str, Any]]:
    """The run's heat maps from its first to its last moment, evenly over the steps, for a film.

    Raises:
        RunError: as ``chart``.
    """
    kept = maps.kept(run, len(run.layout.shapes))
    last = float(kept["step"][-1]) if kept is not None and len(kept) else math.inf
    steps = np.linspace(0, last, MOMENTS) if math.isfinite(last) else [last]
    return [chart([run], MAPS, at=float(step)).to_plotly_json() for step in steps]


def cells(run: Run, at: float = math.inf) -> bytes:
    """The run's heat maps at a step as CSV, a row for each cell, counted from 1.

    Raises:
        RunError: as ``chart``.
    """
    lines = ["map,row,column,value"]
    for trace in chart([run], "heat_maps", at=at).data:
        lines += [
            f"{trace.name},{row + 1},{column + 1},{value}"
            for (row, column), value in np.ndenumerate(trace.z)
        ]
    return "\n".join([*lines, ""]).encode()


def picture(
    runs: Sequence[Run],
    form: str,
    how: Print,
    panel: str = "",
    versus: str = "steps",
    at: float = math.inf,
) -> bytes:
    """A chart of the runs as one of ``PICTURES``; without a panel their errors, or else losses.

    Raises:
        RunError: as ``chart``.
        PictureError: if it cannot be drawn here.
    """
    from dynamics import picture  # not at the top: the page's own process draws no files

    known = all("recovery_error" in shapes for r in runs for shapes in r.layout.shapes.values())
    panel = panel or ("recovery_error" if known else "losses" if len(runs) == 1 else "test_loss")
    figure = chart(runs, panel, versus, at=at).to_plotly_json()
    words = about([run.config for run in runs], panel)
    film = moments(runs[0]) if filmed(panel, form) else []
    return picture.picture(figure, form, how, words, film)


ENDINGS = {"script": "py", "notebook": "ipynb"}  # of files that are not called as their format
FILMS = ("gif", "mp4")
PICTURES = {"pdf": "pdf", "svg": "svg", "png": "png", "tikz": "tex", "gif": "gif", "mp4": "mp4"}
FORMATS: dict[str, Callable[[Run], bytes]] = {
    "csv": lambda run: archive.csv([run]),
    "npz": archive.npz,
    "json": as_json,
    "html": html,
    "zip": lambda run: archive.bundle([run], f"run-{run.key}"),
    "script": lambda run: script.script(run).encode(),
    "notebook": lambda run: script.notebook(run).encode(),
}


def export(run: Run, form: str) -> bytes:
    """The run in one of ``FORMATS``.

    Raises:
        RunError: if the run is damaged or has no records yet.
        ValueError: if there is no such format.
    """
    if form not in FORMATS:
        raise ValueError(f"{form!r} is not one of {', '.join(FORMATS)}.")
    run.need_records()
    return FORMATS[form](run)


def form_of(file: Path, endings: Mapping[str, str]) -> str:
    """What to write into a file that can be written, asked before anything is computed.

    Args:
        file: where to.
        endings: that of each form.

    Raises:
        ValueError: if its ending is none of these.
        OSError: as ``ready``.
    """
    forms = {ending: form for form, ending in endings.items()}
    ending = file.suffix.removeprefix(".")
    if ending not in forms:
        raise ValueError(f"{file} must end in one of .{', .'.join(forms)}.")
    ready(file)
    return forms[ending]


def ready(file: Path) -> None:
    """Asked before anything is computed: raises OSError, which names the file, if it cannot be."""
    try:
        with tempfile.TemporaryFile(dir=file.parent):
            pass
        if file.exists():
            file.open("ab").close()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from None


def _plain(values: Any) -> list[Any]:
    """Nested lists, with None for what is not finite: JSON has no NaN."""
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    return list(plain.tolist())
