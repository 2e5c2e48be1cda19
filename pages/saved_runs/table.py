"""The list of saved runs as a table, with a picture of each and how well it ended."""

import base64
import functools
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.core.description import seeds, text_of
from dynamics.core.records import Trajectory
from dynamics.core.words import plain, raised
from dynamics.draw.spark import spark
from dynamics.findings.outcomes import Lead, late
from dynamics.runs.run import Run, RunError
from pages.saved_runs.finding import Entry

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler


# In the order of a row; ``shown`` has the order of the table.
COLUMNS = ["picture", "name", "tags", "started", "state", "problem", "matrix or classes", "L", "r̂",
           "α", "ε", "η", "steps", "seconds", "last error", "least error", "accuracy", "lead",
           "seeds", "run"]  # fmt: skip
FIRST = ["picture", "name", "tags", "state", "problem", "matrix or classes", "L", "r̂", "α", "ε",
         "least error", "accuracy", "lead"]  # fmt: skip


def shown(rows: "pd.DataFrame") -> list[str]:
    """The columns in the order in which they are read, without those that no run fills."""
    order = [*FIRST, *(name for name in COLUMNS if name not in FIRST)]
    return [name for name in order if rows[name].map(bool, na_action="ignore").any()]


def table(entries: list[Entry]) -> "pd.DataFrame":
    """One row for each run; its state shows if the run is damaged."""
    import pandas as pd  # not at the top: the first page does without it

    return pd.DataFrame(
        [_row(entry) for entry in entries],
        columns=COLUMNS,
    )


def written(rows: "pd.DataFrame") -> "Styler":
    """The table with its small numbers as the rest of the page writes them; it sorts as before."""
    asked = dict.fromkeys(("α", "ε", "η"), lambda value: raised(text_of(value)))
    return rows.style.format(
        asked | dict.fromkeys(("last error", "least error", "seconds"), plain), na_rep="–"
    )


def _row(entry: Entry) -> list[object]:
    run, config, status, remarks = entry
    started = datetime.fromtimestamp(status.created) if status.created else None
    about: list[object] = [None] * 7
    if config and config.watched:
        about[:2] = [config.problem, config.title]
    elif config:
        about = [config.problem, _size(config), config.depth, config.rank_bound]
        about += [config.alpha, config.init_scale, config.learning_rate]
    ended = (
        Result() if status.live or not config else _result(run.folder, status.created, status.step)
    )
    drawn, *found = ended
    name = f"📌 {remarks.name}".strip() if remarks.pinned else remarks.name
    drawn_by = seeds([config]).removeprefix("Seeds: ").removesuffix(".") if config else ""
    return [
        *(drawn, name, list(remarks.tags), started, _state(entry), *about, status.step, *found),
        *(drawn_by, run.key),
    ]


def _state(entry: Entry) -> str:
    """The phase, and which failures stood at the end."""
    named = dict.fromkeys(str(each.get("name", "")) for each in entry.status.signatures)
    failures = [name.replace("_", " ") for name in named if name and name != "diverging"]
    return ", ".join([entry.status.phase, *failures])


# What a row of the table is read off.
SHOWN = ("recovery_error", "test_loss", "accuracy", "singular_values", "mode_values")


class Result(NamedTuple):
    """How a run ended.

    Attributes:
        picture: its singular values over steps, as the address of an SVG.
        seconds: of training, all networks together.
        last: the recovery error of its main network at the end, else its test loss.
        least: the least of it.
        accuracy: of its main network at the end.
        lead: how many times fewer operations the compressed network needed than the original.
    """

    picture: str | None = None
    seconds: float | None = None
    last: float | None = None
    least: float | None = None
    accuracy: float | None = None
    lead: float | None = None


@functools.lru_cache(maxsize=2000)
def _result(folder: Path, created: float, step: int) -> Result:  # the last two name a state of it
    try:
        trajectories = [each for each in Run(folder).only(SHOWN) if len(each.steps)]
    except RunError:
        return Result()
    if not trajectories:
        return Result()
    named = {each.network: each for each in trajectories}
    main = named.get("compressed", trajectories[0])
    errors = main.series.get("recovery_error", main.series.get("test_loss", np.array([])))
    errors = errors[np.isfinite(errors)]
    drawn = base64.b64encode(spark(trajectories).encode()).decode()
    return Result(
        f"data:image/svg+xml;base64,{drawn}",
        sum(map(_own_seconds, trajectories)),
        float(errors[-1]) if len(errors) else None,
        float(errors.min()) if len(errors) else None,
        _last(main, "accuracy"),
        _lead(named),
    )


def _own_seconds(trajectory: Trajectory) -> float:
    """The seconds of a network, without those that the original trained before its late start."""
    before = trajectory.seconds[0] if late(trajectory) else 0.0
    return float(trajectory.seconds[-1] - before)


def _lead(named: Mapping[str, Trajectory]) -> float | None:
    """The compressed network's lead in operations at the lowest decade that both reached."""
    own, other = named.get("compressed"), named.get("original")
    if not own or not other or late(own) or "recovery_error" not in own.series:
        return None
    lead = Lead.of(own, other)
    return lead.operations if lead else None


def _last(trajectory: Trajectory, name: str) -> float | None:
    """The last known value of a series; None if it has none."""
    values = trajectory.series.get(name, np.array([]))
    values = values[np.isfinite(values)]
    return float(values[-1]) if len(values) else None


def _size(config: Config) -> str:
    """How large the matrix is, or how many classes are told apart behind which backbone."""
    rows, cols = config.shape
    if traits.problem(config.problem).classifies:
        return f"{cols} classes, {config.backbone}"
    return f"{rows} × {cols}"
