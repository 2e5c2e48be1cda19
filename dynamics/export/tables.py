"""Tables: the numbers of runs as CSV, NPZ and JSON, and as a zip that explains itself."""

import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.core import registry, traits
from dynamics.core.config import ELSEWHERE
from dynamics.core.description import command, seeds, settings
from dynamics.core.records import COUNTERS, Trajectory
from dynamics.core.traits import MeasurementTraits
from dynamics.core.words import count
from dynamics.draw import panel
from dynamics.export.caption import BIBTEX, about
from dynamics.findings.rounding import sentences
from dynamics.runs import maps
from dynamics.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd


def table(trajectories: list[Trajectory]) -> "pd.DataFrame":
    """One row for each network and record; vectors spread over columns numbered from 1."""
    # Not at the top: pandas takes 60 MB, which a page with a download button does without.
    import pandas as pd

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


def csv(runs: Sequence[Run]) -> bytes:
    """The table in full precision; with several runs, a column ``run`` has the key.

    Raises:
        RunError: if one of them is damaged or has no records yet.
    """
    return _records(runs).to_csv(index=False).encode()


def _records(runs: Sequence[Run]) -> "pd.DataFrame":
    import pandas as pd

    for run in runs:
        run.need_records()
    frames = [table(run.trajectories) for run in runs]
    if len(runs) > 1:
        for run, frame in zip(runs, frames, strict=True):
            frame.insert(0, "run", run.key)
    return pd.concat(frames, ignore_index=True)


def _settings(runs: Sequence[Run]) -> bytes:
    """A row for each run: key, all settings, and the command line that trains it again."""
    import pandas as pd

    rows = [
        {"run": run.key, **run.config.to_dict(), "command": command(run.config)} for run in runs
    ]
    return pd.DataFrame(rows).to_csv(index=False).encode()


def npz(run: Run) -> bytes:
    """Arrays ``<network>_<series>`` with T first, the heat maps, and ``config`` as JSON text."""
    arrays = {"config": np.array(json.dumps(run.config.to_dict()))}
    for trajectory in run.trajectories:
        counters = {counter: getattr(trajectory, counter) for counter in ("steps", *COUNTERS)}
        for name, values in {**counters, **trajectory.series}.items():
            arrays[f"{trajectory.network}_{name}"] = values
    arrays |= {name: np.array(values) for name, values in run.layout.facts.items()}
    arrays |= maps.arrays(run)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def bundle(runs: Sequence[Run], name: str, more: Mapping[str, bytes] | None = None) -> bytes:
    """A zip: records as CSV and NPZ, settings, citation, and a README with every column.

    Args:
        runs: one run, or several runs in one table.
        name: the zip's name without its ending, for the example in the README.
        more: further files, by name.
    """
    several = len(runs) > 1
    configs: Any = {run.key: run.config.to_dict() for run in runs}
    files = {"records.csv": csv(runs), "README.md": readme(runs, name).encode()}
    files |= {f"{run.key}.npz" if several else "records.npz": npz(run) for run in runs}
    if several:
        files["runs.csv"] = _settings(runs)
    stored = configs if several else runs[0].config.to_dict()
    files["config.json"] = json.dumps(stored, indent=1, ensure_ascii=False).encode()
    files["citation.bib"] = BIBTEX.encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in (files | dict(more or {})).items():
            archive.writestr(file, content)
    return buffer.getvalue()


COLUMNS = {
    "network": ("network of the row", ""),
    "step": ("gradient steps since the start", "steps"),
    "seconds": (
        "time of the first factors' decomposition and of the steps, without measuring",
        "seconds",
    ),
    "measuring_seconds": ("time of measuring, since the start", "seconds"),
    "operations": (
        "multiplications and additions of the first factors' decomposition and of the steps",
        "operations",
    ),
}


def readme(runs: Sequence[Run], name: str) -> str:
    """The zip's README: how to open the zip, and the meaning and unit of every column."""
    columns = [
        f"| {column} | {words} | {unit} |" for column, (words, unit) in _columns(runs).items()
    ]
    parts = [
        *(_one(runs[0]) if len(runs) == 1 else _several(runs)),
        "Open the records in pandas:",
        f'    pd.read_csv(zipfile.ZipFile("{name}.zip").open("records.csv"))',
        "\n".join(["| column | what it is | unit |", "| --- | --- | --- |", *columns]),
    ]
    described = dict.fromkeys(maps.described(run) for run in runs)
    return "\n\n".join([*parts, *filter(None, described), ""])


GIVEN = "As the program gave it"  # a number of a run that another program trains
NUMBERS = (
    "numbers in full precision; .i counts from 1, the largest first (.l.i: singular value i of "
    "factor l)."
)


def _one(run: Run) -> list[str]:
    return [
        f"# Run {run.key}",
        about([run.config], _main(run)).caption,
        " ".join(sentences([*run.layout.shapes], run.rounding, run.config.problem)),
        f"`records.csv` has one row for each network and record, {NUMBERS} `records.npz` has the "
        "same as arrays named `network_column`. `config.json` has all settings. "
        + (ELSEWHERE if run.config.watched else "The run is trained again by"),
        *([] if run.config.watched else [f"    {command(run.config)}"]),
    ]


def _main(run: Run) -> str:
    """The series that a run is about: the recovery error, or the losses where there is none."""
    shapes = run.layout.shapes.values()
    return "recovery_error" if all("recovery_error" in each for each in shapes) else "losses"


def _several(runs: Sequence[Run]) -> list[str]:
    configs = [run.config for run in runs]
    return [
        f"# {count(len(runs), 'run')}",
        f"{settings(configs)} {seeds(configs)}",
        f"`records.csv` has one row for each run, network and record, {NUMBERS} `runs.csv` has one "
        "row for each run: its key, as in the column `run` of the records, all its settings, and "
        'the command line that trains it again; `records.merge(runs, on="run")` joins both. '
        "`KEY.npz` has a run's numbers as arrays named `network_column`, `config.json` all "
        "settings by key.",
    ]


def _columns(runs: Sequence[Run]) -> dict[str, tuple[str, str]]:
    """Meaning and unit of each column of the table."""
    columns = {"run": ("key of the run", "")} if len(runs) > 1 else {}
    columns |= COLUMNS
    layouts = [run.layout for run in runs]
    shapes = [shape for layout in layouts for shape in layout.shapes.values()]
    for name in dict.fromkeys(name for shape in shapes for name in shape):
        known = registry.options("measurements")
        meaning = known.get(name, GIVEN).rstrip(".")
        facts = [str(layout.facts[name][0]) for layout in layouts if name in layout.facts]
        if facts:
            meaning += f": {' or '.join(dict.fromkeys(facts))}"
        stated = traits.measurement(name) if name in known else MeasurementTraits()
        letters = "ijk"[: max(1, len(stated.index))]
        if stated.index:
            pairs = zip(letters, stated.index, strict=True)
            meaning += f" ({', '.join(f'{letter}: {counted}' for letter, counted in pairs)})"
        is_vector = any(shape.get(name) for shape in shapes)
        column = ".".join([name, *letters]) if is_vector else name
        columns[column] = (meaning, stated.unit)
    return columns


def as_json(run: Run) -> bytes:
    """Settings, facts, where rounding decides, and each network's counters and series; NaN is null.

    ``rounding`` has an entry for each network whose second training was compared.
    """
    networks = {}
    for trajectory in run.trajectories:
        counters = {counter: getattr(trajectory, counter) for counter in ("steps", *COUNTERS)}
        networks[trajectory.network] = {
            name: _plain(values) for name, values in {**counters, **trajectory.series}.items()
        }
    content = {
        "config": run.config.to_dict(),
        "facts": run.layout.facts,
        "rounding": [parting.to_dict() for parting in run.rounding],
        "networks": networks,
    }
    return json.dumps(content, allow_nan=False).encode()


def cells(run: Run, at: float = math.inf) -> bytes:
    """The run's heat maps at a step as CSV: one row for each cell; rows and columns from 1.

    Raises:
        RunError: as ``panel.of_runs`` does.
    """
    lines = ["map,row,column,value"]
    for trace in panel.of_runs([run], panel.MAPS, at=at).data:
        lines += [
            f"{trace.name},{row + 1},{column + 1},{value}"
            for (row, column), value in np.ndenumerate(trace.z)
        ]
    return "\n".join([*lines, ""]).encode()


def _plain(values: Any) -> list[Any]:
    """Nested lists, with None for infinity and NaN, which JSON lacks."""
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    return list(plain.tolist())
