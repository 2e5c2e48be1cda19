"""Tables: the numbers of runs as CSV, NPZ and JSON, and as a zip that explains itself.

A run may have more records than there is memory for, so each file is written as the records are
read, a few megabytes at a time.
"""

import codecs
import csv
import io
import json
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import IO, Any

import numpy as np

from dynamics.core import registry, traits
from dynamics.core.config import ELSEWHERE
from dynamics.core.description import command, seeds, settings
from dynamics.core.records import COUNTERS, Array, Trajectory
from dynamics.core.traits import MeasurementTraits
from dynamics.core.words import count
from dynamics.draw import panel
from dynamics.export.caption import BIBTEX, about
from dynamics.findings.rounding import sentences
from dynamics.runs import maps
from dynamics.runs.run import Run

QUICK = 1  # level of compression: a tenth larger than the usual one, in a fifth of its time


def write_csv(runs: Sequence[Run], file: IO[bytes]) -> None:
    """The records in full precision, a row for each network and record.

    Vectors spread over columns numbered from 1; with several runs, a column ``run`` has the key.

    Raises:
        RunError: if one of them is damaged or has no records yet.
    """
    several = len(runs) > 1
    for run in runs:
        run.need_records()
    names = [
        name for run in runs for shapes in run.layout.shapes.values() for name in _spread(shapes)
    ]
    head = list(dict.fromkeys(["network", "step", *COUNTERS, *names]))
    write_rows([(run, run.key) for run in runs], ["run", *head] if several else head, file)


def write_rows(runs: Sequence[tuple[Run, str]], head: Sequence[str], file: IO[bytes]) -> None:
    """A CSV of these columns; each run comes with what its rows have in the column ``run``.

    No more than a few megabytes of records are held at a time.
    """
    lines = csv.writer(codecs.getwriter("utf-8")(file), lineterminator="\n")
    lines.writerow(head)
    for run, label in runs:
        for network in run.layout.shapes:
            for part in trajectories(run, network):
                columns = _columns_of(part) | {"run": [label] * len(part.steps)}
                empty = [""] * len(part.steps)
                lines.writerows(zip(*(columns.get(name, empty) for name in head), strict=True))


def trajectories(run: Run, network: str) -> Iterator[Trajectory]:
    """A network's trajectory, a part of the records at a time."""
    return run.layout.part(network, run.parts(), run.starts.get(network, 0.0))


def _spread(shapes: Mapping[str, tuple[int, ...]]) -> Iterator[str]:
    """The columns of a network's measurements."""
    for name, shape in shapes.items():
        for index in np.ndindex(*shape):
            yield ".".join([name, *(str(i + 1) for i in index)])


def _columns_of(part: Trajectory) -> dict[str, list[Any]]:
    """The columns of a table's rows by name; what is unknown is empty."""
    columns: dict[str, list[Any]] = {"network": [part.network] * len(part.steps)}
    columns["step"] = part.steps.astype(int).tolist()
    for counter in COUNTERS:
        columns[counter] = _cells(getattr(part, counter))
    for name, values in part.series.items():
        for index in np.ndindex(values.shape[1:]):
            label = ".".join([name, *(str(i + 1) for i in index)])
            columns[label] = _cells(values[(slice(None), *index)])
    return columns


def _cells(values: Array) -> list[Any]:
    cells: list[Any] = values.tolist()
    for place in np.flatnonzero(np.isnan(values)):
        cells[place] = ""
    return cells


def _write_settings(runs: Sequence[Run], file: IO[bytes]) -> None:
    """A row for each run: key, all settings, and the command line that trains it again."""
    text = io.StringIO()
    rows = [
        {"run": run.key, **run.config.to_dict(), "command": command(run.config)} for run in runs
    ]
    lines = csv.DictWriter(
        text, list(dict.fromkeys(chain.from_iterable(rows))), lineterminator="\n"
    )
    lines.writeheader()
    lines.writerows(rows)
    file.write(text.getvalue().encode())


def write_npz(run: Run, file: IO[bytes]) -> None:
    """Arrays ``<network>_<series>`` with T first, the heat maps, and ``config`` as JSON text."""
    arrays = {"config": np.array(json.dumps(run.config.to_dict()))}
    layout = run.layout
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=QUICK) as archive:
        for network, shapes in layout.shapes.items():
            count = sum(len(part.steps) for part in trajectories(run, network))
            for name in ("steps", *COUNTERS, *shapes):
                shape = (count, *shapes.get(name, ()))
                with _member(archive, f"{network}_{name}.npy") as member:
                    head = {"descr": "<f8", "fortran_order": False, "shape": shape}
                    np.lib.format.write_array_header_1_0(member, head)
                    for part in trajectories(run, network):
                        member.write(_values(part, name).astype("<f8").tobytes())
        arrays |= {name: np.array(values) for name, values in layout.facts.items()}
        arrays |= maps.arrays(run)
        for name, values in arrays.items():
            with _member(archive, f"{name}.npy") as member:
                np.lib.format.write_array(member, np.asanyarray(values), allow_pickle=False)


def _values(part: Trajectory, name: str) -> Array:
    """A counter, the steps or a series."""
    values: Array = part.series[name] if name in part.series else getattr(part, name)
    return values


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A file in a zip, to be written a part at a time; nobody knows how large it becomes."""
    return archive.open(name, "w", force_zip64=True)


def write_bundle(
    runs: Sequence[Run], name: str, file: IO[bytes], more: Mapping[str, bytes] | None = None
) -> None:
    """A zip: records as CSV and NPZ, settings, citation, and a README with every column.

    Args:
        runs: one run, or several runs in one table.
        name: the zip's name without its ending, for the example in the README.
        file: where the zip is written.
        more: further files, by name.
    """
    several = len(runs) > 1
    configs: Any = {run.key: run.config.to_dict() for run in runs}
    stored = configs if several else runs[0].config.to_dict()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=QUICK) as archive:
        with _member(archive, "records.csv") as member:
            write_csv(runs, member)
        archive.writestr("README.md", readme(runs, name))
        for run in runs:
            with _member(archive, f"{run.key}.npz" if several else "records.npz") as member:
                write_npz(run, member)
        if several:
            with _member(archive, "runs.csv") as member:
                _write_settings(runs, member)
        archive.writestr("config.json", json.dumps(stored, indent=1, ensure_ascii=False))
        archive.writestr("citation.bib", BIBTEX)
        for other, content in (more or {}).items():
            archive.writestr(other, content)


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


def write_json(run: Run, file: IO[bytes]) -> None:
    """Settings, facts, where rounding decides, and each network's counters and series; NaN is null.

    ``rounding`` has an entry for each network whose second training was compared.
    """
    content = {
        "config": run.config.to_dict(),
        "facts": run.layout.facts,
        "rounding": [parting.to_dict() for parting in run.rounding],
    }
    file.write(f'{json.dumps(content, allow_nan=False)[:-1]}, "networks": {{'.encode())
    for place, (network, shapes) in enumerate(run.layout.shapes.items()):
        file.write(f"{', ' * (place > 0)}{json.dumps(network)}: {{".encode())
        for number, name in enumerate(("steps", *COUNTERS, *shapes)):
            file.write(f"{', ' * (number > 0)}{json.dumps(name)}: [".encode())
            between = ""
            for part in trajectories(run, network):
                if len(part.steps):
                    numbers = json.dumps(_plain(_values(part, name)), allow_nan=False)
                    file.write(f"{between}{numbers[1:-1]}".encode())
                    between = ", "
            file.write(b"]")
        file.write(b"}")
    file.write(b"}}")


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
