"""Finding: saved runs that a search asks for, in groups, and those that differ in one setting."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dynamics.core.config import SEEDS, SETTINGS, Config
from dynamics.core.description import text_of
from dynamics.runs.remarks import Remarks
from dynamics.runs.run import Run, Status

WHOLE = "none"  # the grouping that makes no groups
GROUPS = (
    WHOLE, "problem", "state", "tag", "depth", "rank_bound", "alpha", "init_scale", "learning_rate",
)  # fmt: skip
SEED = "seeds"  # all seeds count as one setting: they are drawn anew together


class Entry(NamedTuple):
    """A saved run: folder, settings (None if damaged), state, and a reader's words."""

    run: Run
    config: Config | None
    status: Status
    remarks: Remarks


def found(entries: Sequence[Entry], text: str) -> list[Entry]:
    """The runs that have every word of a search, pinned ones first.

    A word such as ``α=5`` or ``alpha=5`` asks for this value; any other may be part of the name,
    the note, a tag, the key, the problem or the state. Capital letters do not matter.
    """
    asked = re.sub(r"\s*=\s*", "=", text.casefold()).split()
    kept = [entry for entry in entries if _has(entry, asked)]
    return sorted(kept, key=lambda entry: not entry.remarks.pinned)


def _has(entry: Entry, asked: Sequence[str]) -> bool:
    if not asked:
        return True
    run, config, status, remarks = entry
    words = [remarks.name, remarks.note, *remarks.tags, run.key, status.phase]
    words += [config.problem, config.title] if config else []
    prose = "\n".join(words).casefold()
    values = _values(config) if config else set()
    return all(word in (values if "=" in word else prose) for word in asked)


def _values(config: Config) -> set[str]:
    """Every setting of a run as words such as ``α=5`` and ``alpha=5``."""
    texts = {name: text_of(value) for name, value in config.canonical().to_dict().items()}
    named = {f"{name}={text}" for name, text in texts.items()}
    named |= {f"{SETTINGS[name].symbol}={text}" for name, text in texts.items() if name in SETTINGS}
    return {word.casefold() for word in named}


def grouped(entries: Sequence[Entry], by: str) -> dict[str, list[Entry]]:
    """The runs by what they have in common, in the order of the values; a heading for each group.

    A run with several tags is in each of their groups.
    """
    if by == WHOLE:
        return {"": list(entries)}
    groups: dict[tuple[bool, float, str], list[Entry]] = {}
    for entry in entries:
        for value in _values_of(entry, by):
            number = value if isinstance(value, int | float) else 0.0
            groups.setdefault((value is None, number, _heading(by, value)), []).append(entry)
    return {heading: groups[_, number, heading] for _, number, heading in sorted(groups)}


def _values_of(entry: Entry, by: str) -> Sequence[str | float | None]:
    if by == "state":
        return [entry.status.phase]
    if by == "tag":
        return entry.remarks.tags or [None]
    if entry.config is None or (entry.config.watched and by != "problem"):
        return [None]
    return [getattr(entry.config.canonical(), by)]


def _heading(by: str, value: str | float | None) -> str:
    if value is None:
        return "without a tag" if by == "tag" else "without this setting"
    if by in SETTINGS and by != "problem":
        return f"{SETTINGS[by].symbol} = {text_of(value)}"
    return str(value).replace("_", " ")


def differing(chosen: Config, entries: Sequence[Entry]) -> Mapping[str, list[str]]:
    """By setting, the keys of the runs that differ from a run in that setting alone.

    All seeds are one setting, ``seeds``.
    """
    own = _bundled(chosen)
    differing: dict[str, list[str]] = {}
    for entry in entries:
        if entry.config is None or entry.config.watched or chosen.watched:
            continue
        other = _bundled(entry.config)
        names = [name for name in own if own[name] != other[name]]
        if len(names) == 1:
            differing.setdefault(names[0], []).append(entry.run.key)
    return differing


def _bundled(config: Config) -> dict[str, object]:
    values = config.canonical().to_dict()
    return values | dict.fromkeys(SEEDS) | {SEED: tuple(values.get(name) for name in SEEDS)}


def title(name: str) -> str:
    """How a button calls a setting, or all seeds."""
    return SETTINGS[name].heading if name in SETTINGS else name.capitalize()
