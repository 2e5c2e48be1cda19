"""The list of saved runs as a table."""

from datetime import datetime
from typing import TYPE_CHECKING

from dynamics.core.config import Config
from dynamics.runs.run import Run, Status

if TYPE_CHECKING:
    import pandas as pd


Entry = tuple[Run, Config | None, Status]


def table(entries: list[Entry]) -> "pd.DataFrame":
    """One row for each run; its state shows if the run is damaged."""
    import pandas as pd  # not at the top: the first page does without it

    return pd.DataFrame(
        [_row(*entry) for entry in entries],
        columns=["started", "state", "problem", "matrix", "L", "r̂", "α", "ε", "η", "steps", "run"],
    )


def _row(run: Run, config: Config | None, status: Status) -> list[object]:
    started = datetime.fromtimestamp(status.created) if status.created else None
    about: list[object] = [None] * 7
    if config:
        rows, cols = config.shape
        about = [config.problem, f"{rows} × {cols}", config.depth, config.rank_bound]
        about += [config.alpha, config.init_scale, config.learning_rate]
    return [started, status.phase, *about, status.step, run.key]
