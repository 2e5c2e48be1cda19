"""Lesson: five minutes on one idea: predict, run, explain, try. A file of ``lessons/`` each.

A lesson is a value, ``LESSON``. It says what is trained and asks what will come of it; its
``numbers`` are made from the runs themselves and stand in its explanation.
"""

import math
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.core.words import formula
from dynamics.findings.modes import modes

# A small full target whose modes are learned one by one, which takes a second.
STAIRS: dict[str, Any] = {
    "problem": "factorization",
    "rows": 30,
    "cols": 30,
    "rank": 3,
    "spectrum": "power-law",
    "networks": "compressed",
    "rank_bound": 6,
    "alpha": 1.0,
    "learning_rate": 1.0,
    "steps": 20_000,
    "record_every": 20,
    "tolerance": 0.0,
}


@dataclass(frozen=True)
class Done:
    """A run that has ended: its settings, and what each network left behind, by name."""

    config: Config
    networks: Mapping[str, Trajectory]

    def escapes(self, network: str = "compressed") -> list[float]:
        """Steps until each mode was half grown; NaN for one that was not."""
        found = modes(self.config, self.networks[network])
        return [math.nan if each.measured is None else each.measured for each in found]

    def last(self, series: str, network: str = "compressed") -> float:
        """The last value of a series of single numbers."""
        return float(self.networks[network].series[series][-1])

    def steps_to(self, error: float, network: str = "compressed") -> float:
        """The first recorded step with at most this recovery error; NaN if there is none."""
        return self.networks[network].reached("recovery_error", error)


Found = Mapping[str, Done]


@dataclass(frozen=True)
class Lesson:
    """One lesson. Texts are Markdown with formulas; ``@name`` in one is a number of ``numbers``.

    Attributes:
        place: in the list, from 1.
        title: a question of a few words.
        idea: what one will know afterwards, one line.
        minutes: that it takes, at most five.
        setup: what will be trained.
        question: what to predict, with ``answers``, of which number ``right`` (from 0) is right.
        runs: settings of each run, by a short label; the first is shown first.
        figures: that are drawn while it runs.
        watch: what to look at meanwhile.
        numbers: from the runs that are done, to what the explanation says, by name.
        facts: rows of a table: words, and the name of a number for each of ``columns``.
        explanation: why it came so, with the numbers of the runs in it.
        beyond: what carries over to networks in use, and what does not.
        invitation: what to try next on the first page, from the settings ``attempt``.
        answer: what one will find there.
        hide: the blocks of the first page that are not needed for it.
        columns: heads of the table of facts.
        compared: the series of all runs that is drawn in one chart in the end; none if empty.
    """

    place: int
    title: str
    idea: str
    minutes: int
    setup: str
    question: str
    answers: tuple[str, ...]
    right: int
    runs: Mapping[str, Mapping[str, Any]]
    figures: tuple[str, ...]
    watch: str
    numbers: Callable[[Found], Mapping[str, float]]
    facts: tuple[tuple[str, ...], ...]
    explanation: str
    beyond: str
    invitation: str
    attempt: Mapping[str, Any]
    answer: str
    hide: tuple[str, ...] = (
        *("problem", "training", "seeds", "presets", "pictures", "changes"),
        *("forecast", "theory"),  # they would tell before one has tried
    )
    columns: tuple[str, ...] = ("theory", "your run")
    compared: str = ""

    @cached_property
    def configs(self) -> dict[str, Config]:
        """What is trained, by label."""
        return {label: Config.from_dict(settings) for label, settings in self.runs.items()}

    def explained(self, numbers: Mapping[str, float]) -> str:
        """The explanation with its numbers, which stand in formulas."""
        return _Text(self.explanation).substitute({k: formula(v) for k, v in numbers.items()})


class _Text(string.Template):
    """``@name`` is replaced: neither Markdown nor formulas have another use for the sign."""

    delimiter = "@"


def lessons() -> dict[str, Lesson]:
    """All lessons by name, in their order."""
    found = {name: load(name) for name in registry.options("lessons")}
    return dict(sorted(found.items(), key=lambda item: item[1].place))


def load(name: str) -> Lesson:
    """The lesson of a file of ``lessons/``.

    Raises:
        ValueError: if there is none of this name.
    """
    lesson: Lesson = registry.load("lessons", name).LESSON
    return lesson
