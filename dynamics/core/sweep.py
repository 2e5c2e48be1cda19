"""Sweep: the runs over one to three settings, each with one outcome; a value like a Config.

A cell is one combination of the axes' values, with one run for each seed. A run of a sweep is an
ordinary run: its settings are the base's, with those of its cell.
"""

import dataclasses
import functools
import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynamics.core.config import SEEDS, SETTINGS, VERSION, Config, ConfigError, choices
from dynamics.core.description import command
from dynamics.core.setting import Setting
from dynamics.core.traits import full_name, problem
from dynamics.core.words import count, raised
from dynamics.data.published import DRAWN

MOST_AXES = 3
MOST_VALUES = 1000  # of one axis
MOST_SEEDS = 100
MOST_RUNS = 10_000  # of one sweep, unless its user allows more
DECADE = "/decade"
SHAPES = "write values with commas, LOW:HIGH:STEP, or LOW:HIGH:N/decade"
# Settings that name parts of a run instead of placing it: they have no axis.
NO_AXIS = ("problem", "networks", "dataset", "matrices", "changes", "device", "recording")
END_TO_END = "end_to_end_scale"
DERIVED = {  # axes that are no setting, but set one that depends on the others of the cell
    END_TO_END: Setting(
        1e-6,
        "End-to-end scale",
        "ε^L",
        "Scale of W_L⋯W_1 at the start, the same at each depth: it sets ε to its L-th root",
        "network",
        low=0,
        high=10,
        above=True,
        name=END_TO_END,
        type=float,
    )
}
STEPS, SECONDS, OPERATIONS = COSTS = ("steps", "seconds", "operations")
ENDINGS = ("recovered", "merged", "stuck", "diverged")  # of the outcome ``ended``, best first
SPEED = "speedup_"
STOPPED = "stopped"


@dataclass(frozen=True)
class Measure:
    """What a cell can be asked for.

    Attributes:
        meaning: a line for menus and help.
        level: the error or accuracy that it refers to if none is given; None if it needs none.
        modes: whether it is of one mode.
        needs: the measurements that it is computed from, beside the errors.
        log: whether its axis or its colours are logarithmic.
        less: whether a smaller value is better.
    """

    meaning: str
    level: float | None = None
    modes: bool = False
    needs: tuple[str, ...] = ()
    log: bool = True
    less: bool = True


OUTCOMES: Mapping[str, Measure] = {
    STEPS: Measure("Steps to an error", 1e-3),
    SECONDS: Measure("Seconds of training to an error", 1e-3),
    OPERATIONS: Measure("Operations to an error", 1e-3),
    "best": Measure("Lowest error"),
    "final": Measure("Last error"),
    "overfit": Measure("Last over lowest error: above 1, an earlier stop had been better"),
    STOPPED: Measure(
        "Error where a validation part stops it over lowest error", needs=("validation_error",)
    ),
    "escape": Measure("Step at which a mode is half grown", None, True, ("mode_values",)),
    "incrementality": Measure(
        "J of a mode, counted in the order of escapes: above 1, modes are learned one at a time",
        None,
        True,
        ("mode_values",),
        less=False,
    ),
    "ended": Measure(
        f"How it ended: {', '.join(ENDINGS)}", 1e-2, needs=("mode_values",), log=False
    ),
    "angle": Measure(
        "Angle of the start to the target (°): the largest of their subspaces, where r̂ = r",
        needs=("left_angles", "right_angles"),
        log=False,
    ),
    "leak": Measure("Leak out of the subspace of theory: a share of the factors", needs=("leak",)),
    "unmoved": Measure(
        "Singular values that never moved by 1 %: a share of those of the factors",
        needs=("unmoved",),
        log=False,
        less=False,
    ),
    **{
        SPEED + cost: Measure(
            f"Speed-up: {cost} of the original over {cost} of the compressed, to an error",
            1e-3,
            less=False,
        )
        for cost in COSTS
    },
    "accuracy": Measure("Highest held-out accuracy", log=False, less=False),
    "accuracy_steps": Measure("Steps to a held-out accuracy", 0.9),
}
OF_CLASSES = ("accuracy", "accuracy_steps")


@dataclass(frozen=True)
class Axis:
    """One setting, or one of ``DERIVED``, and its values: numbers in ascending order.

    Raises:
        ConfigError: with one sentence that names the axis and the value.
    """

    name: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if self.name not in {*SETTINGS, *DERIVED} or self.name in NO_AXIS:
            raise ConfigError({self.name: f"{self.name} cannot be an axis of a sweep."})
        try:
            values = [self.about.check(value) for value in self.values]
        except ValueError as error:
            raise ConfigError({self.name: str(error)}) from None
        twice = [value for value in values if values.count(value) > 1]
        if twice:
            raise self._wrong(f"has the value {shown(twice[0])} twice")
        if not values:
            raise self._wrong("has no value")
        if len(values) > MOST_VALUES:
            raise self._wrong(f"has {count(len(values), 'value')}; at most {MOST_VALUES:,} fit")
        object.__setattr__(self, "values", tuple(sorted(values) if self.numeric else values))

    @classmethod
    def read(cls, name: str, text: str) -> "Axis":
        """An axis from a text such as ``1,2,5``, ``0.5:10:0.25`` or ``1e-6:1:2/decade``.

        Raises:
            ConfigError: with one sentence that names the axis and the value.
        """
        parts = [part.strip() for part in text.split(",")]
        values: list[Any] = []
        about = SETTINGS.get(name)
        whole = about is not None and about.type is int
        for part in parts:
            try:
                values += _range(part, whole) if ":" in part else [part]
            except ValueError as error:
                sentence = f"{_label(name)}: {part!r} is not a range, {error}; {SHAPES}."
                raise ConfigError({name: sentence}) from None
        return cls(name, tuple(values))

    @property
    def about(self) -> Setting:
        """What the setting is."""
        return DERIVED.get(self.name) or SETTINGS[self.name]

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.about.type in (int, float)

    @property
    def log(self) -> bool:
        """Whether the values are spaced more evenly by their ratios than by their differences."""
        if not self.numeric or len(self.values) < 3 or self.values[0] <= 0:
            return False
        steps = [b - a for a, b in itertools.pairwise(self.values)]
        ratios = [math.log(b / a) for a, b in itertools.pairwise(self.values)]
        return max(ratios) / min(ratios) < max(steps) / min(steps)

    @property
    def text(self) -> str:
        """The values as ``read`` takes them, as a range if they are one."""
        values = self.values
        plain = ",".join(map(shown, values))
        if not self.numeric or len(values) < 4:
            return plain
        ends = f"{shown(values[0])}:{shown(values[-1])}"
        ranges = [f"{ends}:{_digits((values[-1] - values[0]) / (len(values) - 1)):g}"]
        if values[0] > 0:
            each = (len(values) - 1) / math.log10(values[-1] / values[0])
            ranges.append(f"{ends}:{round(each)}{DECADE}")
        return next((text for text in ranges if _same(self, text)), plain)

    def _wrong(self, words: str) -> ConfigError:
        return ConfigError({self.name: f"The axis {_label(self.name)} {words}."})


def _label(name: str) -> str:
    about = DERIVED.get(name) or SETTINGS.get(name)
    return about.label if about else name


def _same(axis: Axis, text: str) -> bool:
    try:
        return Axis.read(axis.name, text) == axis
    except ConfigError:
        return False


def shown(value: Any) -> str:
    """A value as texts and flags have it: the shortest that reads back the same."""
    if isinstance(value, float):
        return next(text for text in (f"{value:g}", repr(value)) if float(text) == value)
    return str(value)


def _digits(value: float) -> float:
    """A number without the rounding of sums: 0.30000000000000004 is 0.3."""
    return float(f"{value:.12g}")


def _range(text: str, whole: bool) -> list[float]:
    """The numbers of ``LOW:HIGH:STEP``, or of ``LOW:HIGH:N/decade`` with six digits.

    Those by decades are rounded if the setting takes ``whole`` numbers.
    """
    decades = text.endswith(DECADE)
    try:
        low, high, step = (float(part) for part in text.removesuffix(DECADE).split(":"))
    except ValueError:
        raise ValueError("it needs three numbers") from None
    if not all(map(math.isfinite, (low, high, step))) or step <= 0:
        raise ValueError("its step must be above 0")
    if high < low or (decades and low <= 0):
        raise ValueError("it must ascend" if high < low else "decades start above 0")
    length = step * math.log10(high / low) if decades else (high - low) / step
    if length > MOST_VALUES:
        raise ValueError(f"it has more than {MOST_VALUES:,} values")
    number = int(length + 1e-9) + 1
    if decades:
        values = [float(f"{low * 10 ** (place / step):.6g}") for place in range(number)]
        return list(dict.fromkeys(map(round, values))) if whole else values
    return [_digits(low + place * step) for place in range(number)]


@dataclass(frozen=True)
class Cell:
    """One combination of values.

    Attributes:
        point: the place of the value on each axis.
        values: by axis.
        configs: the settings of its runs, one a seed; empty if the cell cannot exist.
        why: one sentence if it cannot exist.
    """

    point: tuple[int, ...]
    values: tuple[Any, ...]
    configs: tuple[Config, ...]
    why: str = ""


@dataclass(frozen=True)
class Sweep:
    """Axes, seeds and an outcome. Make it with ``of``, which completes what is left out.

    Attributes:
        base: the settings of the first cell that exists; equal sweeps have equal bases.
        axes: one to three; the first is drawn along, the second up, the third as small multiples.
        seeds: runs a cell; the k-th adds k to all seeds of the base.
        outcome: one of ``OUTCOMES``.
        level: the error or the accuracy that the outcome refers to.
        network: the network that the outcome is of.
        mode: the mode that the outcome is of, counted from 1.

    Raises:
        ConfigError: with one sentence for each thing that is wrong, by name.
    """

    base: Config
    axes: tuple[Axis, ...]
    seeds: int = 1
    outcome: str = STEPS
    level: float = 0.0
    network: str = "compressed"
    mode: int = 1

    def __post_init__(self) -> None:
        if problems := self._wrong():
            raise ConfigError(problems)
        cells = (self._cell(point) for point in itertools.islice(self._points(), MOST_RUNS))
        first = next(cells)
        why = first.why
        while first.why:
            try:
                first = next(cells)
            except StopIteration:
                raise ConfigError({"axes": f"No cell of this sweep can exist: {why}"}) from None
        fixed = self.base.matrices != DRAWN
        if self.seeds > 1 and (fixed or first.configs[0].key == first.configs[1].key):
            raise ConfigError({"seeds": "Nothing in these runs is drawn: seeds must be 1."})
        unread: dict[str, Any] = {"base": first.configs[0].canonical()}
        unread |= {} if self.measure.modes else {"mode": 1}
        unread |= {"level": float(self.level) if self.measure.level is not None else 0.0}
        unread |= {"network": "compressed"} if self.outcome.startswith(SPEED) else {}
        for name, value in unread.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, values: Mapping[str, Any], axes: Sequence[Axis], **more: Any) -> "Sweep":
        """A sweep from settings that all cells share, as ``Config.from_dict`` takes them.

        ``more`` are fields of the sweep; a level that is left out is the outcome's own, and the
        networks are those that the outcome needs.

        Raises:
            ConfigError: for the reasons of the class.
        """
        both = [axis.name for axis in axes if axis.name in values]
        if both:
            raise ConfigError({both[0]: f"{_label(both[0])} is an axis and has a value, too."})
        classes = bool(problem_of(values) and problem(str(problem_of(values))).classifies)
        outcome = more.get("outcome") or ("accuracy" if classes else STEPS)
        measure = OUTCOMES.get(outcome)
        more = {name: value for name, value in more.items() if value is not None}
        more["outcome"] = outcome
        if measure and "level" not in more:
            more["level"] = measure.level or 0.0
        network = more.get("network", "compressed")
        both_needed = outcome.startswith(SPEED)
        needed = {"networks": "original,compressed" if both_needed else network}
        return cls(_base(needed | dict(values), axes), tuple(axes), **more)

    def _wrong(self) -> dict[str, str]:
        wrong: dict[str, str] = {}
        names = [axis.name for axis in self.axes]
        if not 1 <= len(names) <= MOST_AXES:
            wrong["axes"] = (
                f"A sweep has one to three axes; {len(names)} were given. An axis is a "
                "setting with several values."
            )
        if len(set(names)) < len(names) or {END_TO_END, "init_scale"} <= set(names):
            wrong["axes"] = "Two axes of this sweep set the same."
        if not _whole(self.seeds, MOST_SEEDS):
            wrong["seeds"] = f"seeds must be a whole number from 1 to {MOST_SEEDS}."
        elif self.seeds > 1 and set(names) & set(SEEDS):
            wrong["seeds"] = "Where a seed is an axis, seeds must be 1."
        if self.outcome not in OUTCOMES:
            wrong["outcome"] = f"The outcome must be one of {', '.join(OUTCOMES)}."
            return wrong
        if (self.outcome in OF_CLASSES) != problem(self.base.problem).classifies:
            fits = [
                name for name in OUTCOMES if (name in OF_CLASSES) != (self.outcome in OF_CLASSES)
            ]
            wrong["outcome"] = f"{self.base.problem} has the outcomes {', '.join(fits)}."
        if self.outcome == STOPPED and not (self.base.validation or "validation" in names):
            wrong["validation"] = (
                f"The outcome {STOPPED} needs a validation part; validation 0.1 would do."
            )
        top = 1 if self.outcome in OF_CLASSES else math.inf
        number = isinstance(self.level, int | float) and not isinstance(self.level, bool)
        if not number or (self.measure.level is not None and not 0 < self.level < top):
            below = " and below 1" if top == 1 else ""
            wrong["level"] = f"The level must be a number above 0{below}; {self.level} was given."
        needed = ("original", "compressed") if self.outcome.startswith(SPEED) else (self.network,)
        if self.network not in choices("networks"):
            wrong["network"] = f"There is no network {str(self.network)[:40]!r}."
        elif missing := [name for name in needed if name not in self.base.networks]:
            wrong["network"] = f"The runs of this sweep do not train the {full_name(missing[0])}."
        if not _whole(self.mode, 500):
            wrong["mode"] = "The mode must be a whole number from 1 to 500."
        return wrong

    def _points(self) -> Iterator[tuple[int, ...]]:
        return itertools.product(*map(range, self.shape))

    def _cell(self, point: tuple[int, ...]) -> Cell:
        values = tuple(axis.values[i] for axis, i in zip(self.axes, point, strict=True))
        named = dict(zip([axis.name for axis in self.axes], values, strict=True))
        try:
            first = dataclasses.replace(self.base, **settled(named, self.base.depth))
        except ConfigError as error:
            return Cell(point, values, (), str(error))
        seeds = [{name: getattr(first, name) + k for name in SEEDS} for k in range(self.seeds)]
        try:
            more = [dataclasses.replace(first, **each) for each in seeds[1:]]
        except ConfigError as error:
            return Cell(point, values, (), str(error))
        return Cell(point, values, (first, *more))

    @property
    def measure(self) -> Measure:
        """What the outcome is."""
        return OUTCOMES[self.outcome]

    @functools.cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All combinations, the last axis fastest; also those that cannot exist."""
        return tuple(map(self._cell, self._points()))

    @property
    def missing(self) -> list[Cell]:
        """The cells that cannot exist."""
        return [cell for cell in self.cells if cell.why]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each axis has."""
        return tuple(len(axis.values) for axis in self.axes)

    @functools.cached_property
    def configs(self) -> list[Config]:
        """The settings of all runs, in the order in which a picture shows early.

        The first seed of all cells comes first, from a coarse grid to a fine one, then the second.
        """
        ranks = [_ranks(length) for length in self.shape]

        def fine(cell: Cell) -> tuple[int, int]:
            levels = [rank[i] for rank, i in zip(ranks, cell.point, strict=True)]
            return max(levels), sum(levels)

        cells = sorted((cell for cell in self.cells if cell.configs), key=fine)
        return [cell.configs[k] for k in range(self.seeds) for cell in cells]

    @functools.cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys of all runs, in the order of ``configs``; equal runs are one."""
        return tuple(dict.fromkeys(config.key for config in self.configs))

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits: equal for sweeps that are equal, on every machine."""
        content = json.dumps([VERSION, self._canonical()], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def _canonical(self) -> dict[str, Any]:
        stored = self.to_dict()
        stored["base"] = {
            name: value
            for name, value in stored["base"].items()
            if value != Config().to_dict().get(name)
        }
        return stored

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON: ``from_dict`` returns the same sweep."""
        return {
            "base": self.base.to_dict(),
            "axes": [[axis.name, list(axis.values)] for axis in self.axes],
            **{name: getattr(self, name) for name in PLAIN},
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Sweep":
        """The inverse of ``to_dict``.

        Raises:
            ConfigError, KeyError, TypeError or ValueError: if it is no sweep.
        """
        if not (isinstance(stored, Mapping) and isinstance(stored["base"], Mapping)):
            raise TypeError("it has no settings")
        axes = tuple(Axis(name, tuple(values)) for name, values in stored["axes"])
        plain = {name: stored[name] for name in PLAIN}
        return cls(Config.from_dict(stored["base"]), axes, **plain)

    @property
    def title(self) -> str:
        """What is shown: ``Steps to recovery error 10⁻³, compressed network``."""
        error = error_of(self.base).replace("_", " ")
        words = self.measure.meaning.partition(":")[0]
        if self.outcome.startswith(SPEED):
            words = f"Speed-up in {self.outcome.removeprefix(SPEED)} to an error"
        if self.measure.level is not None:
            held = "accuracy" if self.outcome in OF_CLASSES else error
            level = raised(f"{self.level:g}")
            words = words.replace("an error", f"{error} {level}")
            words = words.replace("a held-out accuracy", f"{held} {level}")
            words += f" (recovered: {error} {level})" * (self.outcome == "ended")
        elif self.outcome not in OF_CLASSES:
            words = words.replace("error", error)
        if self.measure.modes:
            words = words.replace("a mode", f"mode {self.mode}")
            words = words.partition(",")[0]
        return words if self.outcome.startswith(SPEED) else f"{words}, {full_name(self.network)}"

    @property
    def caption(self) -> str:
        """One sentence: the outcome, over which axes, and N."""
        over = " and ".join(
            f"{axis.about.symbol or axis.about.title.lower()} = {axis.text}" for axis in self.axes
        )
        seeds = f"medians over N = {self.seeds} seeds" if self.seeds > 1 else "N = 1 seed"
        return f"{self.title}, over {over}; {seeds} a cell."

    @property
    def command(self) -> str:
        """The command line that makes the sweep again."""
        names = {axis.name for axis in self.axes}
        names |= {"init_scale"} if END_TO_END in names else set()
        line = command(self.base).replace("dynamics run", "dynamics sweep")
        parts = line.split(" --")
        kept = [part for part in parts if part.split()[0].replace("-", "_") not in names]
        kept += [f"{axis.name.replace('_', '-')} {axis.text}" for axis in self.axes]
        kept += [f"seeds {self.seeds}", f"outcome {self.outcome}", f"of {self.network}"]
        kept += [f"level {self.level:g}"] if self.measure.level is not None else []
        kept += [f"mode {self.mode}"] if self.measure.modes else []
        if not any(part.startswith("networks ") for part in kept):
            kept.append(f"networks {','.join(self.base.networks)}")
        return " --".join(kept)

    def check_limit(self, most: int = MOST_RUNS) -> None:
        """Refuse a sweep of too many runs, and say what would fit; takes no time for any size.

        Raises:
            ConfigError: with one sentence.
        """
        cells = math.prod(self.shape)
        runs = cells * self.seeds
        if runs <= most:
            return
        side = int((most / self.seeds) ** (1 / len(self.axes)))
        fits = []
        if cells <= most:
            fits.append(count(most // cells, "seed"))
        if side > 1:
            fits.append(f"{' × '.join([str(side)] * len(self.axes))} values")
        words = f"; {' or '.join(fits)} would fit" if fits else ""
        raise ConfigError(
            {"axes": f"This sweep has {count(runs, 'run')}, and {most:,} are allowed{words}."}
        )


PLAIN = ("seeds", "outcome", "level", "network", "mode")


def settled(values: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """The settings of a cell: what a derived axis sets, in place of the axis.

    Args:
        values: by axis.
        depth: L of a cell that does not set it.
    """
    settings = {name: value for name, value in values.items() if name not in DERIVED}
    if END_TO_END in values:
        settings["init_scale"] = values[END_TO_END] ** (1 / settings.get("depth", depth))
    return settings


def error_of(config: Config) -> str:
    """The error that outcomes are counted by: held out where no target is known."""
    return "recovery_error" if problem(config.problem).target_known else "test_loss"


def problem_of(values: Mapping[str, Any]) -> str | None:
    """The problem that settings name, if it exists; else the default one."""
    named = values.get("problem", SETTINGS["problem"].default)
    return named if named in SETTINGS["problem"].choices else None


def _base(values: Mapping[str, Any], axes: Sequence[Axis]) -> Config:
    """The first combination of values that can exist, if the first ones alone cannot.

    Raises:
        ConfigError: of the first combination, if none can.
    """
    why: ConfigError | None = None
    for combination in _combinations(axes):
        depth = int(values.get("depth", SETTINGS["depth"].default))
        try:
            return Config.from_dict({**values, **settled(combination, depth)})
        except ConfigError as error:
            why = why or error
    assert why is not None
    raise why


def _combinations(axes: Sequence[Axis]) -> Iterator[dict[str, Any]]:
    names = [axis.name for axis in axes]
    for values in itertools.islice(itertools.product(*(axis.values for axis in axes)), MOST_RUNS):
        yield dict(zip(names, values, strict=True))


def _whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _ranks(length: int) -> list[int]:
    """For each place of an axis, in which round of halving it comes: ends first, then middles."""
    ranks = [0] * length
    stack = [(0, length - 1, 1)]
    while stack:
        low, high, rank = stack.pop()
        middle = (low + high) // 2
        if high - low > 1:
            ranks[middle] = rank
            stack += [(low, middle, rank + 1), (middle, high, rank + 1)]
    return ranks
