"""Schedule: what changes during a run, as one line of text.

``5000:alpha=2,learning_rate=5;8000:compress``: after step 5,000 the networks train with a different
α and η, and at step 8,000 the compressed network starts from the original as it is at that moment.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from dynamics.core.words import raised

SYMBOLS = {
    "alpha": "α",
    "alpha_original": "α₀",
    "learning_rate": "η",
}  # rates that a change can set
COMPRESS = "compress"
EXAMPLE = "5000:alpha=2,learning_rate=5;8000:compress"


@dataclass(frozen=True)
class Change:
    """What changes after ``step``: some rates, or the compressed network starts, or both."""

    step: int
    rates: Mapping[str, float] = field(default_factory=dict)
    compress: bool = False


@dataclass(frozen=True)
class LateStart:
    """A network that does not start on its own: it compresses another network at ``step``.

    Attributes:
        step: step of the run at which the network starts, above 0.
        network: the network that starts late.
        source: the network whose factors at that step are compressed.
    """

    step: int
    network: str = "compressed"
    source: str = "original"


def read(text: str, number: Callable[[str, str], float]) -> tuple[Change, ...]:
    """The changes that a text names, in the order of their steps.

    Args:
        text: changes as at the top of this file; empty for no changes.
        number: returns the value of a setting from the setting's name and the value's text, or
            raises ValueError with a sentence.

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
    step, colon, rest = text.partition(":")
    if not (step.strip().isascii() and step.strip().isdigit() and colon and int(step)):
        raise ValueError(f"changes must be like {EXAMPLE}, steps from 1 on; {text!r} was given.")
    rates: dict[str, float] = {}
    parts = [part.strip() for part in rest.split(",")]
    for part in parts:
        name, _, value = (word.strip() for word in part.partition("="))
        if part == COMPRESS:
            continue
        if name not in SYMBOLS:
            raise ValueError(
                f"changes can set {', '.join(SYMBOLS)} or say {COMPRESS}; {part!r} was given."
            )
        if name in rates:
            raise ValueError(f"changes must set {name} once at step {int(step)}.")
        rates[name] = number(name, value)
    return Change(int(step), rates, COMPRESS in parts)


def written(changes: Iterable[Change]) -> str:
    """The text that ``read`` reads as these changes; equal changes have the same text."""
    return ";".join(f"{change.step}:{','.join(_parts(change))}" for change in changes)


def _parts(change: Change) -> list[str]:
    rates = {name: change.rates[name] for name in SYMBOLS if name in change.rates}
    named = [f"{name}={_shortest(value)}" for name, value in rates.items()]
    return [*named, COMPRESS] if change.compress else named


def effective(changes: Iterable[Change], start: Mapping[str, float]) -> tuple[Change, ...]:
    """The changes that have an effect.

    A rate is left out if ``start`` or an earlier change already set it to the same value.
    """
    rates = dict(start)
    kept = []
    for change in changes:
        new_rates = {name: value for name, value in change.rates.items() if value != rates[name]}
        rates |= new_rates
        if new_rates or change.compress:
            kept.append(Change(change.step, new_rates, change.compress))
    return tuple(kept)


def in_force(changes: Iterable[Change], start: Mapping[str, float], step: int) -> dict[str, float]:
    """The rates of the steps that follow ``step``."""
    rates = {name: start[name] for name in SYMBOLS}
    for change in changes:
        if change.step <= step:
            rates |= change.rates
    return rates


def told(
    changes: Iterable[Change], start: Mapping[str, float], compressed: str = "compressed"
) -> list[tuple[int, str]]:
    """Each change as a label on a time axis: (5000, "α 5 → 2").

    ``compressed`` is the label for the start of the compressed network.
    """
    rates = dict(start)
    labels = []
    for change in changes:
        words = [
            raised(f"{SYMBOLS[name]} {rates[name]:g} → {value:g}")
            for name, value in change.rates.items()
        ]
        if change.compress:
            words.append(compressed)
        labels.append((change.step, ", ".join(words)))
        rates |= change.rates
    return labels


def _shortest(value: float) -> str:
    """The shortest text that reads back as exactly this number."""
    return repr(float(value)).removesuffix(".0")
