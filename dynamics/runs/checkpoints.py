"""Checkpoints: moments of a run from which it or another run may continue.

``<run>/checkpoints/<step>.pt`` holds each network's factors, the optimizer's memory and the state
of its measurements (``Measuring.restore``) at the record of that step. A run keeps at most ``MOST``
checkpoints and ``LIMIT`` bytes of them, so that they cost next to nothing. When there are more,
every other checkpoint is dropped, and the next ones are written twice as far apart.
"""

import io
import sys
import time
import zipfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from dynamics.core.config import Config
from dynamics.core.machine import files
from dynamics.core.records import COUNTERS, Array, Layout
from dynamics.core.sizes import widths
from dynamics.engine.measuring.moment import Moment, Resumable
from dynamics.runs.fork import shared
from dynamics.runs.run import Run, RunError

MOST = 32  # most checkpoints of a run
LIMIT = 128 * 2**20  # most bytes of all checkpoints of a run together
APART = 0.5  # seconds between two checkpoints at first
SHARE = 0.03  # largest share of the time that writing checkpoints may take


class Checkpoints:
    """The checkpoints of a run in training."""

    def __init__(self, run: Run) -> None:
        self._folder = _folder(run)
        self._apart = APART
        self._kept = time.monotonic()  # when the last checkpoint was written, in monotonic seconds
        self._most = MOST

    def offer(self, records: Mapping[str, Resumable]) -> None:
        """Keep the moment of these records if the last checkpoint is long enough ago.

        The start is none: whoever continues there trains from the start anyway.
        """
        begun = any(record.step for record in records.values())
        if begun and time.monotonic() - self._kept >= self._apart:
            self.keep(records)

    def keep(self, records: Mapping[str, Resumable]) -> None:
        """Keep the moment of these records, for every network that was still training."""
        started = time.monotonic()
        step = max(record.step for record in records.values())
        content = {
            name: {counter: getattr(record, counter) for counter in COUNTERS}
            | {"state": record.moment.to_dict()}
            for name, record in records.items()
            if record.moment is not None
        }
        saved = io.BytesIO()
        torch.save(content, saved)
        self._most = min(MOST, LIMIT // max(1, saved.tell()))
        # After a power cut no checkpoint may be there without the records before it.
        for name in ("records.f8", "maps.f2", "pictures.f2"):
            files.settle(self._folder.parent / name)
        self._folder.mkdir(exist_ok=True)
        files.replace(self._folder / f"{step:012d}.pt", saved.getvalue(), durable=True)
        self._thin()
        self._kept = time.monotonic()
        self._apart = max(self._apart, (self._kept - started) / SHARE)

    def _thin(self) -> None:
        """Drop every other checkpoint if there are too many; the newest stays.

        All are dropped if a single checkpoint is larger than ``LIMIT``.
        """
        kept = steps(self._folder)
        if len(kept) > self._most:
            for file in kept[-2::-2] if self._most else kept:
                file.unlink()
            self._apart *= 2


def steps(folder: Path) -> list[Path]:
    """The checkpoints in a folder, in the order of their steps."""
    return sorted(folder.glob("*.pt"))


def _folder(run: Run) -> Path:
    return run.folder / "checkpoints"


def resume(origin: Run, config: Config) -> tuple[dict[str, Resumable], Array]:
    """The last moment of ``origin`` from which a run may continue, and the rows before it.

    Both are empty if no moment fits. A damaged checkpoint is passed over, and said so in the log of
    the run. The moment's records have no values, which the run measures again.
    """
    layout = origin.layout
    rows = origin.sound_rows()
    upto = shared(config, origin.config)
    for file in reversed(steps(_folder(origin))):
        step = int(file.stem)
        if 0 < step <= upto and _recorded(config, step, upto):
            before = rows[rows[:, 0] < step]
            try:
                moment = _loaded(file, step, origin.config)
            except RunError as error:
                print(f"{error} An earlier one is tried.", file=sys.stderr)
                continue
            whole = _all_before(origin.config, step, before)
            if moment and whole and _fits(config, origin.config, layout, moment, before):
                return moment, _without_late(config, layout, before)
    return {}, rows[:0]


def _recorded(config: Config, step: int, upto: int) -> bool:
    """Whether a run of the config has a record at this step, where its origin has one.

    Both train alike up to step ``upto``. If the losses decide which steps are recorded, both have
    the same records before that step; at that step the origin may have a record that the run lacks.
    """
    change_steps = {change.step for change in config.canonical().schedule}
    if step in change_steps or step == config.steps:
        return True
    return step < upto if config.recording == "escapes" else step % config.record_every == 0


def _all_before(config: Config, step: int, before: Array) -> bool:
    """Whether no record before the step is missing, as after a power cut or a damaged row.

    Where the losses decide which steps are recorded, only the first record is known.
    """
    if not len(before) or before[0, 0] != 0:
        return False
    return config.recording == "escapes" or step - before[-1, 0] <= config.record_every


def _loaded(file: Path, step: int, config: Config) -> dict[str, Resumable]:
    """The records of a checkpoint by network; empty if the file no longer exists.

    Raises:
        RunError: if the file is damaged, or holds something else than a run of these settings.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if archive.testzip() is not None:
                raise ValueError("its checksum differs")
        content: dict[str, dict[str, Any]] = torch.load(file, weights_only=True)
        records = {
            name: Resumable(step, values={}, moment=Moment.from_dict(entry.pop("state")), **entry)
            for name, entry in content.items()
        }
        _check(records, config)
        return records
    except FileNotFoundError:  # the origin's worker has dropped it meanwhile
        return {}
    except Exception as error:  # what torch raises on a damaged file has no common kind
        reason = str(error).partition("\n")[0].rstrip(".")
        raise RunError(f"The checkpoint {file} cannot be read: {reason}.") from None


def _check(records: Mapping[str, Resumable], config: Config) -> None:
    """Raise an error unless these are factors and counters of the config's networks."""
    for name, record in records.items():
        assert record.moment is not None
        sizes = widths(config, name)
        shapes = [(after, before) for before, after in pairwise(sizes)]
        if [tuple(factor.shape) for factor in record.moment.factors] != shapes:
            raise ValueError(f"its factors are not those of the {name} network")
        for counter in COUNTERS:
            if not isinstance(getattr(record, counter), int | float):
                raise ValueError(f"its {counter} are no number")


def _fits(
    config: Config, origin: Config, layout: Layout, moment: Mapping[str, Resumable], before: Array
) -> bool:
    """Whether a run of the config can continue from the moment.

    At the moment the same networks have ended in both runs, and the checkpoint has what the next
    records need.

    Args:
        config: settings of the run.
        origin: settings of the run that kept the moment.
        layout: columns of the origin's records.
        moment: records of the checkpoint by network.
        before: rows of the origin's records before the checkpoint.
    """
    late = {name for name in config.networks if config.starts_late(name)}
    gone = set(config.networks) - set(moment) - late
    states = [record.moment for record in moment.values()]
    if config.recording == "escapes" and not all(state and state.gaps for state in states):
        return False  # an older version kept it, without the gaps that place the next records
    if config.late and config.late.source in gone:
        return False
    if config.tolerance == origin.tolerance:
        return True
    losses = [before[:, layout.slices[name, "train_loss"]] for name in set(config.networks) - late]
    return not gone and all(bool((loss > config.tolerance).all()) for loss in losses)


def _without_late(config: Config, layout: Layout, rows: Array) -> Array:
    """The rows, with NaN in the columns of a network that starts late."""
    for (name, _), place in layout.slices.items():
        if config.starts_late(name):
            rows[:, place] = float("nan")
    return rows
