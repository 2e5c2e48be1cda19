"""Export: a run's numbers in every format."""

import contextlib
import io
from collections.abc import Callable
from typing import IO

from dynamics.draw.panel import USUAL, NothingToDrawError, Panel
from dynamics.export import script, tables
from dynamics.export.formats import DATA
from dynamics.runs.run import Run


def html(run: Run) -> bytes:
    """One page that needs no network: the usual charts that the run has numbers for."""
    from dynamics.export.render.html import chart, page

    parts: list[str] = []
    for name in USUAL:
        with contextlib.suppress(NothingToDrawError):
            parts.append(chart(Panel(name).draw(run.config, run.trajectories)))
    settings = "".join(
        f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in run.config.to_dict().items()
    )
    body = f"<h1>Run {run.key}</h1>{''.join(parts)}<h2>Settings</h2><table>{settings}</table>"
    return page(f"Run {run.key}", body, "td{padding-right:2rem}").encode()


WRITERS: dict[str, Callable[[Run, IO[bytes]], object]] = {  # one for each of ``DATA``
    "csv": lambda run, file: tables.write_csv([run], file),
    "npz": tables.write_npz,
    "json": tables.write_json,
    "html": lambda run, file: file.write(html(run)),
    "zip": lambda run, file: tables.write_bundle([run], f"run-{run.key}", file),
    "script": lambda run, file: file.write(script.script(run).encode()),
    "notebook": lambda run, file: file.write(script.notebook(run).encode()),
}


def write(run: Run, form: str, file: IO[bytes]) -> None:
    """Write the run in one of the formats ``DATA``, as its records are read.

    Raises:
        RunError: if the run is damaged or has no records yet.
        ValueError: if the format does not exist.
    """
    if form not in DATA:
        raise ValueError(f"{form!r} is not one of {', '.join(DATA)}.")
    run.need_records()
    WRITERS[form](run, file)


def export(run: Run, form: str) -> bytes:
    """The same in memory.

    Raises:
        RunError, ValueError: as ``write``.
    """
    file = io.BytesIO()
    write(run, form, file)
    return file.getvalue()
