"""A run with as many records as a run may have, without the hours of training them.

Its settings, columns and first records are real; the later ones repeat them.
"""

from pathlib import Path
from typing import Any

import numpy as np

from dynamics.core.config import Config
from dynamics.core.records import Layout, Trained
from dynamics.engine.training.comparison import prepare
from dynamics.runs.run import Run
from dynamics.runs.sweep import store

RECORDS = 100_000  # the most that a run keeps
FEW = 50  # records that are trained


def long_run(folder: Path, records: int = RECORDS, **changes: Any) -> Run:
    """A finished run with this many records, of the default problem and networks."""
    settings: dict[str, Any] = {"record_every": 1, "steps": records - 1, "tolerance": 0.0}
    config = Config(**(settings | {"rows": 40, "cols": 40} | changes))
    comparison = prepare(config)
    first = [each for each, _ in zip(filter(None, comparison), range(FEW), strict=False)]
    layout = Layout.of(first[0], comparison.facts)
    rows = np.resize(np.array([layout.row(each) for each in first]), (records, layout.width))
    rows[:, 0] = np.arange(records)
    store(folder, config, Trained(layout, rows, first[-1], machine="a machine"))
    return Run(folder / config.key)
