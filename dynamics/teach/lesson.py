"""Lesson: five minutes on one idea: predict, run, explain, try.

A file of ``lessons/`` has one lesson, ``LESSON``. The lesson says what is trained and asks what
will happen; its explanation shows ``numbers`` that are computed from the runs.
"""

import dataclasses
import math
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.core.words import formula, held
from dynamics.findings.modes import modes

# Settings for a small target that is seen whole. A network learns its modes one by one within a
# second.
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
    """A run that has ended: its settings, and the records of each network by name."""

    config: Config
    networks: Mapping[str, Trajectory]

    def escapes(self, network: str = "compressed") -> list[float]:
        """The steps until each mode was half grown; NaN for a mode that never was."""
        steps = [mode.measured for mode in modes(self.config, self.networks[network])]
        return [math.nan if step is None else step for step in steps]

    def last(self, series: str, network: str = "compressed") -> float:
        """The last number of a series."""
        return float(self.networks[network].series[series][-1])

    def steps_to(self, error: float, network: str = "compressed") -> float:
        """The first recorded step with at most this recovery error; NaN if no record has it."""
        return self.networks[network].reached("recovery_error", error)


Found = Mapping[str, Done]
Numbers = Mapping[str, float | str]


@dataclass(frozen=True)
class Lesson:
    """One lesson. Texts are Markdown with formulas; no line ends inside ``30 × 30``.

    In the explanation, ``@name`` stands for the number of that name in ``numbers``.

    Attributes:
        place: position in the list of lessons, from 1.
        title: a question of a few words.
        idea: what a reader knows afterwards, in one line.
        minutes: minutes that the lesson takes, at most five.
        setup: what will be trained.
        question: what the reader should predict.
        answers: the answers from which the reader chooses.
        right: index of the right answer, from 0.
        runs: settings of each run, by a short label; the first run is shown first.
        figures: charts that are drawn while the runs train.
        watch: what to look at while the runs train.
        numbers: a function from the finished runs to the numbers of the explanation, by name; a
            word is shown as it is.
        facts: rows of a table: words, and the name of a number for each of ``columns``.
        explanation: why it happened, with the numbers of the runs.
        beyond: what carries over to networks in practical use, and what does not.
        invitation: what to try next on the first page, from the settings ``attempt``.
        attempt: the settings with which the first page opens for the invitation.
        answer: what the reader will find in that attempt.
        hide: the blocks of the first page that the attempt does not need.
        columns: heads of the table of facts.
        compared: a series that one chart shows for all runs at the end; empty for no chart.
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
    numbers: Callable[[Found], Numbers]
    facts: tuple[tuple[str, ...], ...]
    explanation: str
    beyond: str
    invitation: str
    attempt: Mapping[str, Any]
    answer: str
    hide: tuple[str, ...] = (
        *("problem", "training", "seeds", "presets", "pictures", "changes"),
        *("forecast", "theory"),  # they would give the answer away
    )
    columns: tuple[str, ...] = ("theory", "your run")
    compared: str = ""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            text = getattr(self, field.name)
            if isinstance(text, str):
                object.__setattr__(self, field.name, held(text))

    @cached_property
    def configs(self) -> dict[str, Config]:
        """The settings of the runs, by label."""
        return {label: Config.from_dict(settings) for label, settings in self.runs.items()}

    def explained(self, numbers: Numbers) -> str:
        """The explanation with the numbers in its formulas."""
        return _Text(self.explanation).substitute(written(numbers, formula))


def written(numbers: Numbers, write: Callable[[float], str]) -> dict[str, str]:
    """The numbers in words; what is a word already stays as it is."""
    return {
        name: value if isinstance(value, str) else write(value) for name, value in numbers.items()
    }


class _Text(string.Template):
    """A template that replaces ``@name``: Markdown and formulas do not use the sign @."""

    delimiter = "@"


def lessons() -> dict[str, Lesson]:
    """All lessons by name, in the order of their places."""
    by_name = {name: load(name) for name in registry.options("lessons")}
    return dict(sorted(by_name.items(), key=lambda item: item[1].place))


def load(name: str) -> Lesson:
    """The lesson of this name, from its file in ``lessons/``.

    Raises:
        ValueError: if no lesson has this name.
    """
    lesson: Lesson = registry.load("lessons", name).LESSON
    return lesson
