"""Config: every setting of a run, with its symbol, meaning, unit and range.

Sliders, command-line flags, the page's address and the stored file are all views of these fields.
Equal configs have equal keys, on every machine.
"""

import dataclasses
import difflib
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dynamics.core import changes as schedules
from dynamics.core import registry, traits
from dynamics.data.published import DRAWN, NAMES, arrays, settings, start

VERSION = 1  # part of the key; raised when a default changes or a run would come out other
MOST_RECORDS = 100_000


class ConfigError(ValueError):
    """Settings that cannot be run: one sentence for each, by field name, in ``problems``."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__(" ".join(self.problems.values()))


def _setting(
    default: Any,
    title: str,
    symbol: str,
    meaning: str,
    group: str,
    *,
    unit: str = "",
    low: float = -math.inf,
    high: float = math.inf,
    above: bool = False,
    choices: str | tuple[str, ...] = (),
) -> Any:
    """A field; ``above`` makes ``low`` exclusive; ``choices`` is a folder of options or a tuple."""
    return dataclasses.field(default=default, metadata=dict(locals()))


@dataclass(frozen=True)
class Config:
    """Everything that decides what a run computes. See ``SETTINGS`` for meanings and ranges.

    Raises:
        ConfigError: with one clear sentence for each field that is of the wrong type or out of
            range, so that a page can show it beside the widget.
    """

    problem: str = _setting(
        "completion", "Problem", "", "What is learned", "problem", choices="problems"
    )
    rows: int = _setting(
        100, "Rows", "d_out", "Rows of the target matrix", "problem", low=2, high=20_000
    )
    cols: int = _setting(
        100, "Columns", "d_in", "Columns of the target matrix", "problem", low=2, high=20_000
    )
    rank: int = _setting(5, "Rank", "r", "Rank of the target matrix", "problem", low=1, high=500)
    spectrum: str = _setting(
        "top",
        "Target spectrum",
        "s_i",
        "Singular values of the target: the largest of a Gaussian matrix (top), evenly picked "
        "ones (spread), all equal (flat) or falling as 1/i (power-law)",
        "problem",
        choices=("top", "spread", "flat", "power-law"),
    )
    matrices: str = _setting(
        DRAWN,
        "Matrices",
        "",
        "Where target, mask and the original's first factors come from: drawn from the seeds, or "
        "those of a published figure",
        "problem",
        choices=(DRAWN, *NAMES),
    )
    observed: float = _setting(
        0.3,
        "Observed fraction",
        "p",
        "Fraction of the entries that is observed",
        "problem",
        low=0,
        high=1,
        above=True,
    )
    measurements: int = _setting(
        2000,
        "Measurements",
        "m",
        "Number of measurements, each a weighted sum of all entries",
        "problem",
        low=1,
        high=1_000_000,
    )
    sensing: str = _setting(
        "gaussian",
        "Weights of a measurement",
        "A_i",
        "Weights of the sums: Gaussian for each entry (gaussian), or a_i b_iᵀ with Gaussian "
        "vectors, which are far fewer numbers (rank-one)",
        "problem",
        choices=("gaussian", "rank-one"),
    )
    noise: float = _setting(
        0.0,
        "Noise",
        "σ",
        "Standard deviation of the Gaussian noise on each observed value",
        "problem",
        low=0,
        high=10,
        unit="units of an entry",
    )
    networks: tuple[str, ...] = _setting(
        ("original", "compressed"),
        "Networks",
        "",
        "The networks that are trained",
        "network",
        choices="networks",
    )
    depth: int = _setting(
        3, "Depth", "L", "Depth: the number of factors", "network", low=2, high=20
    )
    width: int = _setting(
        0,
        "Original width",
        "d",
        "Width of the original network; 0 makes it as wide as the matrix's smaller side",
        "network",
        low=0,
        high=20_000,
    )
    rank_bound: int = _setting(
        10,
        "Width bound",
        "r̂",
        "Width bound of the compressed network: a guess at or above the rank",
        "network",
        low=1,
        high=1000,
    )
    initialization: str = _setting(
        "orthogonal",
        "Original start",
        "W_l(0)",
        "How the original network's factors are drawn, always to the same Frobenius norm",
        "network",
        choices=("orthogonal", "normal", "uniform"),
    )
    init_scale: float = _setting(
        1e-2,
        "Initial scale",
        "ε",
        "Initialization scale of every factor",
        "network",
        low=0,
        high=10,
        above=True,
    )
    learning_rate: float = _setting(
        10.0, "Learning rate", "η", "Learning rate", "training", low=0, high=1e6, above=True
    )
    rate_unit: str = _setting(
        "absolute",
        "η is counted in",
        "",
        "What η counts: itself (absolute), or multiples of the stability limit η* (limit)",
        "training",
        choices=("absolute", "limit"),
    )
    equal: str = _setting(
        "rate",
        "Equal for all",
        "",
        "What all networks have in common: η itself (rate), or its share of their own stability "
        "limits, by η·α^(−2/L) in place of η (margin)",
        "training",
        choices=("rate", "margin"),
    )
    alpha: float = _setting(
        5.0,
        "Discrepant rate",
        "α",
        "Discrepant learning rate: the compressed network's outer factors move by αη",
        "training",
        low=0,
        high=1000,
        above=True,
    )
    alpha_original: float = _setting(
        1.0,
        "Discrepant rate of the original",
        "α₀",
        "The same factor for the original network; the paper leaves it at 1, equal values are fair",
        "training",
        low=0,
        high=1000,
        above=True,
    )
    optimizer: str = _setting(
        "gradient_descent",
        "Optimizer",
        "",
        "The rule that turns gradients into steps",
        "training",
        choices="optimizers",
    )
    steps: int = _setting(
        10_000,
        "Steps at most",
        "t",
        "Steps at most",
        "training",
        low=1,
        high=100_000_000,
        unit="steps",
    )
    record_every: int = _setting(
        50,
        "Record every",
        "Δt",
        "Steps between two records",
        "training",
        low=1,
        high=1_000_000,
        unit="steps",
    )
    recording: str = _setting(
        "even",
        "Recording",
        "",
        "Records Δt apart throughout (even), or up to 16 Δt apart while no loss moves (escapes)",
        "training",
        choices=("even", "escapes"),
    )
    tolerance: float = _setting(
        1e-12,
        "Stop at train loss",
        "",
        "A network stops at this training loss; 0 never stops it",
        "training",
        low=0,
        high=1,
    )
    changes: str = _setting(
        "",
        "Changes on the way",
        "",
        "Steps at which α, α₀ or η change, or the original is compressed",
        "training",
    )
    dtype: str = _setting(
        "float64",
        "Precision",
        "",
        "Floating-point precision",
        "training",
        choices=("float64", "float32"),
    )
    device: str = _setting(
        "auto",
        "Device",
        "",
        "Where it is computed; auto takes an accelerator if there is one",
        "training",
        choices=("auto", "cpu", "cuda"),
    )
    seed_target: int = _setting(
        0, "Seed: target", "", "Seed of the target matrix", "seeds", low=0, high=2**31 - 1
    )
    seed_data: int = _setting(
        0,
        "Seed: mask or data",
        "",
        "Seed of the mask, the split or the measurements",
        "seeds",
        low=0,
        high=2**31 - 1,
    )
    seed_noise: int = _setting(
        0, "Seed: noise", "", "Seed of the noise", "seeds", low=0, high=2**31 - 1
    )
    seed_init: int = _setting(
        0,
        "Seed: first factors",
        "",
        "Seed of the original network's first factors",
        "seeds",
        low=0,
        high=2**31 - 1,
    )

    def __post_init__(self) -> None:
        problems: dict[str, str] = {}
        for name in SETTINGS:
            try:
                object.__setattr__(self, name, _checked(name, getattr(self, name)))
            except ValueError as error:
                problems[name] = str(error)
        problems = problems or self._inconsistencies()
        if problems:
            raise ConfigError(problems)

    def _inconsistencies(self) -> dict[str, str]:
        """What no single field shows: one sentence for each field, by name."""
        problems, side = {}, min(self.shape)
        for name in ("rank", "rank_bound"):
            if getattr(self, name) > side:
                problems[name] = (
                    f"{label(name)} must be at most {side}, the smaller side of a "
                    f"{self.shape[0]} × {self.shape[1]} matrix; {getattr(self, name)} was given."
                )
        if self.steps / self.record_every > MOST_RECORDS:
            problems["record_every"] = (
                f"{label('record_every')} must be at least {-(-self.steps // MOST_RECORDS)} for "
                f"{self.steps} steps: a run keeps at most {MOST_RECORDS} records."
            )
        return problems | self._impossible_changes() | misfits(self)

    def _impossible_changes(self) -> dict[str, str]:
        sentence, last = "", max((change.step for change in self.schedule), default=0)
        if last >= self.steps:
            sentence = f"changes must come before the last step, {self.steps}; {last} was given."
        if self.late:
            width = self.width or min(self.shape)
            if not {self.late.source, self.late.network} <= set(self.networks):
                sentence = (
                    f"changes can compress only where networks has {self.late.source} and "
                    f"{self.late.network}."
                )
            elif self.rank_bound > width:
                sentence = (
                    f"changes can compress only to a width below the original's, {width}; "
                    f"{label('rank_bound')} is {self.rank_bound}."
                )
        return {"changes": sentence} if sentence else {}

    @property
    def schedule(self) -> tuple[schedules.Change, ...]:
        """What changes on the way, in the order of its steps."""
        return schedules.read(self.changes, _number)

    @property
    def late(self) -> schedules.LateStart | None:
        """The network that starts from the original during the run, if any."""
        steps = (change.step for change in self.schedule if change.compress)
        return next(map(schedules.LateStart, steps), None)

    @property
    def rates(self) -> dict[str, float]:
        """The settings that may change on the way, as the run starts with them."""
        return {name: getattr(self, name) for name in schedules.SYMBOLS}

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the end-to-end matrix; a data set has its own."""
        return traits.problem(self.problem).shape or (self.rows, self.cols)

    def starts_late(self, network: str) -> bool:
        """Whether a network starts on the way, from the original at that moment."""
        return self.late is not None and self.late.network == network

    def after(self, step: int) -> "Config":
        """The settings with which the run goes on from a step, as if it had begun with them."""
        rates: dict[str, Any] = schedules.in_force(self.schedule, self.rates, step)
        return dataclasses.replace(self, changes="", **rates)

    def canonical(self) -> "Config":
        """The same run without settings that decide nothing, as problem or networks ignore them."""
        changes = schedules.effective(self.schedule, self.rates)
        read = {*traits.problem(self.problem).reads}
        for network in self.networks:
            read |= {*traits.network(network).decided_by}
        for change in changes:
            read |= {*change.rates}
        unread: dict[str, Any] = {
            name: setting.default
            for name, setting in SETTINGS.items()
            if (name in (*PROBLEM_SETTINGS, *NETWORK_SETTINGS) and name not in read)
            or (self.matrices != DRAWN and name in FIXED)
        }
        return dataclasses.replace(self, changes=schedules.written(changes), **unread)

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits: equal for configs that compute the same, on every machine."""
        # Only what is not at its default counts, so that a new setting leaves old runs their keys.
        settings, plain = self.canonical().to_dict(), Config().to_dict()
        chosen = {name: value for name, value in settings.items() if value != plain[name]}
        content = json.dumps([VERSION, chosen], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON: ``from_dict`` gives the same Config back."""
        fields = {name: getattr(self, name) for name in SETTINGS}
        return fields | {"networks": ",".join(self.networks)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Config":
        """A Config from field names and values or their texts.

        Fields left out are as their problem suggests, or else at their defaults: one size of step
        or matrix does not suit all problems.

        Raises:
            ConfigError: as the class, and for a name that is no field.
        """
        unknown = {name: _unknown(name) for name in values if name not in SETTINGS}
        if unknown:
            raise ConfigError(unknown)
        return cls(**(suggested(values.get("problem")) | dict(values)))


SETTINGS: dict[str, dataclasses.Field[Any]] = {
    field.name: field for field in dataclasses.fields(Config)
}
PROBLEM_SETTINGS = [name for name in SETTINGS if SETTINGS[name].metadata["group"] == "problem"][1:]
PROBLEM_SETTINGS += ["seed_target", "seed_data", "seed_noise"]
# Not among them are α and the seed of the first factors, which count even where no network reads
# them: published figures set both in such runs, whose keys would change.
NETWORK_SETTINGS = ["width", "initialization", "alpha_original"]


def choices(name: str) -> dict[str, str]:
    """The values that a field may take, each with its description; empty for a number."""
    allowed: str | tuple[str, ...] = SETTINGS[name].metadata["choices"]
    return registry.options(allowed) if isinstance(allowed, str) else dict.fromkeys(allowed, "")


def offered(name: str) -> dict[str, str]:
    """The values that menus and help show: all but exact simulations of other networks."""
    return {
        value: words
        for value, words in choices(name).items()
        if name != "networks" or not traits.network(value).reduced
    }


def suggested(problem: str | None) -> dict[str, Any]:
    """What a problem's file suggests where it differs from the defaults; nothing for no problem."""
    if not isinstance(problem, str) or problem not in choices("problem"):
        return {}
    return dict(traits.problem(problem).suggests)


def label(name: str) -> str:
    """How a sentence calls a field: its symbol and its name."""
    symbol = SETTINGS[name].metadata["symbol"]
    return f"{symbol} ({name})" if symbol else name


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, SETTINGS, 1)
    return f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else ".")


def _checked(name: str, value: Any) -> Any:
    """``value`` as the field's type, within its range; ValueError with one sentence otherwise."""
    setting = SETTINGS[name]
    if name == "changes":
        if not isinstance(value, str):
            raise ValueError(f"changes must be a text such as {schedules.EXAMPLE}.")
        return schedules.written(schedules.read(value, _number))
    if setting.type is str:
        return _chosen(name, value)
    if setting.type in (int, float):
        return _number(name, value)
    parts = value.split(",") if isinstance(value, str) else value
    parts = parts if isinstance(parts, list | tuple) else [parts]
    picked = {
        _chosen(name, part.strip() if isinstance(part, str) else part)
        for part in parts
        if part != ""
    }
    if not picked:
        raise ValueError(f"{label(name)} must name at least one of {', '.join(offered(name))}.")
    # The order of writing decides nothing: the original comes first, as everywhere.
    return tuple(sorted(picked, key=lambda option: (option != "original", option)))


def _chosen(name: str, value: Any) -> str:
    if not isinstance(value, str) or value not in choices(name):
        raise ValueError(
            f"{label(name)} must be one of {', '.join(offered(name))}; {value!r} was given."
        )
    return str(value)


def _number(name: str, value: Any) -> float:
    setting = SETTINGS[name]
    kind: Literal["a whole number", "a number"] = "a number"
    if setting.type is int:
        kind = "a whole number"
    low, high = setting.metadata["low"], setting.metadata["high"]
    bound = "above" if setting.metadata["above"] else "at least"
    wanted = f"{label(name)} must be {kind} {bound} {low:g} and at most {high:.10g}"
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(value) + 0.0  # no −0: it equals 0 but has another text, so another key
        whole = setting.type is not int or number == int(number)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{wanted}; {value!r} was given.") from None
    inside = low <= number <= high and not (setting.metadata["above"] and number == low)
    if not (whole and inside):
        raise ValueError(f"{wanted}; {value} was given.")
    return int(number) if setting.type is int else number


FIXED = ("spectrum", "seed_target", "seed_data", "seed_init")  # what these matrices do not read


def misfits(config: "Config") -> dict[str, str]:
    """What of a config cannot be had with its published matrices: a sentence for each field."""
    if config.matrices == DRAWN:
        return {}
    what = f"with the matrices {config.matrices}"
    if "matrices" not in traits.problem(config.problem).reads:
        return {"matrices": f"{config.problem} has no published matrices; matrices must be drawn."}
    stored, masked = settings(config.matrices), "mask" in arrays(config.matrices)
    if config.problem == "completion" and not masked:
        return {"problem": f"problem must be factorization {what}: they have no mask."}
    side = stored["d"]
    wanted = {"rows": side, "cols": side, "rank": stored["r"]}
    if config.problem == "completion":
        wanted["observed"] = stored["observed"]
    found = {
        name: f"{name} must be {value} {what}; {getattr(config, name)} was given."
        for name, value in wanted.items()
        if getattr(config, name) != value
    }
    if any(network.startswith("original") for network in config.networks):
        found |= _unfit_start(config, what)
    return found


def _unfit_start(config: "Config", what: str) -> dict[str, str]:
    """What of the original network does not fit the stored factors."""
    found = {}
    if not start(config.matrices, config.problem, config.depth):
        found["depth"] = f"There are no first factors for depth {config.depth} {what}."
    if config.width not in (0, settings(config.matrices)["d"]):
        found["width"] = f"width must be 0 {what}; {config.width} was given."
    if config.initialization != "orthogonal":
        found["initialization"] = f"initialization must be orthogonal {what}."
    return found
