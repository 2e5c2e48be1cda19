"""Record spacing: at which steps all networks of a run are recorded together.

``recording = even``: records are Δt apart. ``recording = escapes``: records are Δt apart while a
loss falls, and further apart on plateaus. On a plateau no loss moves by more than the share QUIET
between two records. Each gap there is twice the gap before it, up to WIDEST Δt; as soon as a loss
moves, the gap is Δt again. All records are at multiples of Δt, except at scheduled changes. The
steps of the records follow from the losses alone, so a run is always recorded at the same steps.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dynamics.core.config import Config

QUIET = 0.003  # a loss is on a plateau while |log(loss / loss of the record before)| is below this
WIDEST = 16  # largest gap, in multiples of Δt


@dataclass(frozen=True)
class Gaps:
    """What the next gap follows from, once all networks have reached a record.

    Attributes:
        gap: the last gap, in steps.
        losses: the last training loss of each network.
        moves: for each network the step of its last record, and |log| of the ratio of its last two
            losses.
    """

    gap: int
    losses: Mapping[str, float]
    moves: Mapping[str, tuple[int, float]]


class Spacing:
    """The spacing of one run."""

    def __init__(self, config: Config) -> None:
        self._every = config.record_every
        self._widest = WIDEST if config.recording == "escapes" else 1
        self._gap = self._every
        self._next: dict[int, int] = {}
        self._losses: dict[str, float] = {}
        self._moves: dict[str, tuple[int, float]] = {}

    def after(self, name: str, step: int, loss: float) -> int:
        """Returns the step of the record that follows ``step``, the same for every network."""
        before = self._losses.get(name, 0.0)
        move = abs(math.log(loss / before)) if loss > 0 and before > 0 else math.inf
        self._moves[name] = (step, move)
        self._losses[name] = loss
        if step not in self._next:
            # A network whose last record is more than a gap ago has ended and does not count.
            recent = [size for last, size in self._moves.values() if step - last <= self._gap]
            quiet = all(size < QUIET for size in recent)
            self._gap = min(2 * self._gap, self._widest * self._every) if quiet else self._every
            self._next = {step: step // self._every * self._every + self._gap}
        return self._next[step]

    @property
    def gaps(self) -> Gaps:
        """What the next gap follows from."""
        return Gaps(self._gap, dict(self._losses), dict(self._moves))

    def restore(self, gaps: Gaps) -> None:
        """Continue from these gaps."""
        self._gap = gaps.gap
        self._losses = dict(gaps.losses)
        self._moves = dict(gaps.moves)
