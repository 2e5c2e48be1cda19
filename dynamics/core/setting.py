"""Setting: one field of a Config, with its meaning, its range and the check of a value."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from dynamics.core import registry, traits


@dataclass(frozen=True)
class Setting:
    """What flags, sliders and documentation say about a field, and which values it takes.

    Attributes:
        default: the value of the field if it is left out.
        title: the field's name on screen.
        symbol: the field's letter in formulas; empty if it has none.
        meaning: what the field sets, in one line.
        group: the part of the settings to which the field belongs.
        unit: unit of a number.
        low: the least number.
        high: the largest number.
        above: whether ``low`` itself is excluded.
        choices_of: a folder of options, or the values themselves; empty for a number or a text.
        example: an example of a text that has its own format; empty for all other fields.
        name: name of the field.
        type: type of the field's values.
    """

    default: Any
    title: str
    symbol: str
    meaning: str
    group: str
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    choices_of: str | tuple[str, ...] = ()
    example: str = ""
    name: str = ""
    type: Any = str

    @property
    def choices(self) -> dict[str, str]:
        """The values that the field takes, each described; empty for a number or a text."""
        allowed = self.choices_of
        return registry.options(allowed) if isinstance(allowed, str) else dict.fromkeys(allowed, "")

    @property
    def offered(self) -> dict[str, str]:
        """The choices in menus and help: all that a user would train.

        That leaves out exact simulations of other networks, and what another program trains.
        """
        if self.choices_of == "problems":
            problems = self.choices.items()
            return {name: words for name, words in problems if traits.problem(name).trained}
        if self.choices_of != "networks":
            return self.choices
        return {
            value: words
            for value, words in self.choices.items()
            if not traits.network(value).reduced
        }

    @property
    def label(self) -> str:
        """How a sentence calls the field: its symbol and its name."""
        return f"{self.symbol} ({self.name})" if self.symbol else self.name

    @property
    def heading(self) -> str:
        """How a widget calls the field: its title and its symbol."""
        return f"{self.title} {self.symbol}".strip()

    def describe(self) -> str:
        """The meaning and the values: ``Depth: the number of factors; from 2 to 20``."""
        if self.example:
            return f"{self.meaning}; a text such as {self.example}"
        if self.choices:
            return f"{self.meaning}; one of {', '.join(self.offered)}"
        least = "above" if self.above else "from"
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.meaning}; {least} {self.low:g} to {self.high:,.10g}{unit}"

    def check(self, value: Any) -> Any:
        """``value``, converted to the field's type.

        Raises:
            ValueError: with one sentence, if it has the wrong type or is out of range.
        """
        if self.example:
            if not isinstance(value, str):
                raise ValueError(f"{self.name} must be a text such as {self.example}.")
            return value
        if self.type is str:
            return self._choice(value)
        if self.type in (int, float):
            return self._number(value)
        return self._several(value)

    def _several(self, value: Any) -> tuple[str, ...]:
        """The options in a list, or in a text with commas."""
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            parts = [parts]
        named = [part.strip() if isinstance(part, str) else part for part in parts if part != ""]
        picked = {self._choice(part) for part in named}
        if not picked:
            raise ValueError(f"{self.label} must name at least one of {', '.join(self.offered)}.")
        # The given order decides nothing: the original comes first, as everywhere.
        return tuple(sorted(picked, key=lambda option: (option != "original", option)))

    def _choice(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.choices:
            raise ValueError(
                f"{self.label} must be one of {', '.join(self.offered)}; {value!r} was given."
            )
        return value

    def _number(self, value: Any) -> float:
        kind = "a whole number" if self.type is int else "a number"
        bound = "above" if self.above else "at least"
        rule = f"{self.label} must be {kind} {bound} {self.low:g} and at most {self.high:.10g}"
        try:
            if isinstance(value, bool):
                raise ValueError
            number = (
                float(value) + 0.0
            )  # −0 becomes 0: both are equal, but their texts and so their keys would differ
            whole = self.type is not int or number == int(number)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{rule}; {value!r} was given.") from None
        inside = self.low <= number <= self.high and not (self.above and number == self.low)
        if not (whole and inside):
            raise ValueError(f"{rule}; {value} was given.")
        return int(number) if self.type is int else number


def setting(*arguments: Any, **more: Any) -> Any:
    """A field of a dataclass, described by a Setting with these arguments."""
    about = Setting(*arguments, **more)
    return dataclasses.field(default=about.default, metadata={"setting": about})


def settings_of(record: type[Any]) -> dict[str, Setting]:
    """The settings of a dataclass, by name; not its fields that are none."""
    return {
        field.name: dataclasses.replace(field.metadata["setting"], name=field.name, type=field.type)
        for field in dataclasses.fields(record)
        if "setting" in field.metadata
    }
