"""Schedule: what changes while a run goes on, as one line of text.

``5000:alpha=2,learning_rate=5;8000:compress``: after step 5,000 the networks go on with another α
and η, and at step 8,000 the compressed network starts from what the original is at that moment.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from dynamics.core.words import raised

SYMBOLS = {"alpha": "α", "alpha_original": "α₀", "learning_rate": "η"}  # what may change
COMPRESS = "compress"
EXAMPLE = "5000:alpha=2,learning_rate=5;8000:compress"


@dataclass(frozen=True)
class Change:
    """What is other after ``step``: some rates, or that the compressed network is there."""

    step: int
    rates: Mapping[str, float] = field(default_factory=dict)
    compress: bool = False


@dataclass(frozen=True)
class LateStart:
    """A network that starts from another one, compressed at ``step``, and not from its own start.

    Attributes:
        step: of the run, above 0.
        network: the network that starts late.
        source: the network whose factors at that step it starts from.
    """

    step: int
    network: str = "compressed"
    source: str = "original"


def read(text: str, number: Callable[[str, str], float]) -> tuple[Change, ...]:
    """The changes that a text names, in their order.

    Args:
        text: as above; empty for none.
        number: gives the value of a setting from its text, or raises ValueError with a sentence.

    Raises:
        ValueError: with one sentence that says what is wrong and what would be right.
    """
    changes = [_change(part.strip(), number) for part in text.split(";") if part.strip()]
    for before, after in pairwise(changes):
        if after.step <= before.step:
            raise ValueError(
                f"changes must name steps in ascending order, each once; {after.step} stands "
                f"after {before.step}."
            )
    if sum(change.compress for change in changes) > 1:
        raise ValueError(f"changes can say {COMPRESS} only once.")
    return tuple(changes)


def _change(text: str, number: Callable[[str, str], float]) -> Change:
    place, colon, rest = text.partition(":")
    if not (place.strip().isascii() and place.strip().isdigit() and colon and int(place)):
        raise ValueError(f"changes must be like {EXAMPLE}, steps from 1 on; {text!r} was given.")
    rates: dict[str, float] = {}
    parts = [part.strip() for part in rest.split(",")]
    for part in parts:
        name, _, value = (each.strip() for each in part.partition("="))
        if part == COMPRESS:
            continue
        if name not in SYMBOLS:
            raise ValueError(
                f"changes can set {', '.join(SYMBOLS)} or say {COMPRESS}; {part!r} was given."
            )
        if name in rates:
            raise ValueError(f"changes must set {name} once at step {int(place)}.")
        rates[name] = number(name, value)
    return Change(int(place), rates, COMPRESS in parts)


def written(changes: Iterable[Change]) -> str:
    """The text of changes: one for equal ones."""
    return ";".join(f"{change.step}:{','.join(_parts(change))}" for change in changes)


def _parts(change: Change) -> list[str]:
    rates = {name: change.rates[name] for name in SYMBOLS if name in change.rates}
    named = [f"{name}={_shortest(value)}" for name, value in rates.items()]
    return named + [COMPRESS] * change.compress


def effective(changes: Iterable[Change], start: Mapping[str, float]) -> tuple[Change, ...]:
    """Without what changes nothing, as the rates of ``start`` or of an earlier change are those."""
    rates, kept = dict(start), []
    for change in changes:
        other = {name: to for name, to in change.rates.items() if to != rates[name]}
        rates |= other
        if other or change.compress:
            kept.append(Change(change.step, other, change.compress))
    return tuple(kept)


def in_force(changes: Iterable[Change], start: Mapping[str, float], step: int) -> dict[str, float]:
    """The rates with which the run goes on from ``step``."""
    rates = {name: start[name] for name in SYMBOLS}
    for change in changes:
        if change.step <= step:
            rates |= change.rates
    return rates


def told(
    changes: Iterable[Change], start: Mapping[str, float], compressed: str = "compressed"
) -> list[tuple[int, str]]:
    """Each change as a label on a time axis: (5000, "α 5 → 2").

    ``compressed`` is the label of a compression on the way.
    """
    rates, labels = dict(start), []
    for change in changes:
        words = [
            raised(f"{SYMBOLS[name]} {rates[name]:g} → {to:g}") for name, to in change.rates.items()
        ]
        labels.append((change.step, ", ".join(words + [compressed] * change.compress)))
        rates |= change.rates
    return labels


def _shortest(value: float) -> str:
    """The shortest text that is read as this very number."""
    return repr(float(value)).removesuffix(".0")
