"""Sweeps: all cells of a sweep as a table, and its chart for a file."""

import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynamics.core.sweep import ENDINGS
from dynamics.core.words import count
from dynamics.export.caption import About, signed
from dynamics.export.chart import Chart
from dynamics.export.layout.sizes import Print
from dynamics.findings.sweeps import Results

NUMBERS = ("csv", "json", "parquet")  # formats of all runs


def rows(results: Results, failed: Mapping[str, str]) -> list[dict[str, Any]]:
    """A row for each run, of the cells that cannot exist one row: values, seed, key, outcome.

    An outcome is None if the run has none, as an error that was not reached, or has not ended;
    ``why`` then says whether it failed or cannot exist.
    """
    sweep = results.sweep
    table = []
    for cell in sweep.cells:
        named = {axis.name: value for axis, value in zip(sweep.axes, cell.values, strict=True)}
        for seed, config in enumerate(cell.configs):
            value = results.values.get(config.key, math.nan)
            why = failed.get(config.key, "" if config.key in results.values else "not trained yet")
            told: Any = value if math.isfinite(value) else None
            if sweep.outcome == "ended" and told is not None:
                told = ENDINGS[int(value)]
            table.append(
                {**named, "seed": seed, "run": config.key, sweep.outcome: told, "why": why}
            )
        if cell.why:
            table.append({**named, "seed": 0, "run": "", sweep.outcome: None, "why": cell.why})
    return table


def as_json(results: Results, failed: Mapping[str, str]) -> str:
    """The sweep, its caption and command, and ``rows``."""
    sweep = results.sweep
    content = {
        "key": sweep.key,
        "sweep": sweep.to_dict(),
        "caption": sweep.caption,
        "command": sweep.command,
        "runs": rows(results, failed),
    }
    return json.dumps(content, indent=1, ensure_ascii=False)


def content(results: Results, failed: Mapping[str, str], form: str) -> bytes:
    """All runs in one of the formats of ``NUMBERS``.

    Raises:
        ValueError: if Parquet cannot be written here.
    """
    if form == "json":
        return as_json(results, failed).encode()
    import pandas as pd  # not at the top: takes half a second

    frame = pd.DataFrame(rows(results, failed))
    buffer = io.BytesIO()
    if form == "csv":
        frame.to_csv(buffer, index=False)
        return buffer.getvalue()
    try:
        frame.to_parquet(buffer, index=False)
    except ImportError:
        raise ValueError("Parquet needs pyarrow: pip install pyarrow.") from None
    return buffer.getvalue()


def about(results: Results, link: str = "") -> About:
    """The words of a sweep's chart."""
    sweep = results.sweep
    sentences = [sweep.caption]
    if sweep.missing:
        sentences.append(f"{count(len(sweep.missing), 'cell')} cannot exist.")
    size = count(len(sweep.configs), "run")
    return signed(sweep.title, sentences, sweep.configs, size, link or sweep.command)


def picture(results: Results, form: str, size: Print, file: Path) -> None:
    """Write the sweep's chart."""
    from dynamics.core.machine import files
    from dynamics.draw.sweep import draw  # loads Plotly
    from dynamics.export import picture as pictures

    chart = Chart.of(draw(results), about(results))
    files.replace(file, pictures.picture(chart, form, size))
