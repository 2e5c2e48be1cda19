"""Config: every setting of a run, with its symbol, meaning, unit and range.

Sliders, command-line flags, the page's address and the stored file are all views of these fields.
Equal configs have equal keys on every machine.
"""

import contextlib
import copy
import dataclasses
import difflib
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynamics.core import changes as schedules
from dynamics.core import consistency, traits
from dynamics.core.consistency import FIXED
from dynamics.core.contents import Contents, contents, fitting, shape
from dynamics.core.setting import setting, settings_of
from dynamics.data import dataset as datasets
from dynamics.data import imported
from dynamics.data.published import DRAWN, NAMES

ELSEWHERE = "This run was recorded from a program of its own: it cannot be trained again here."
VERSION = 1  # part of the key; raise it when a default or the result of a run changes


class ConfigError(ValueError):
    """Settings that cannot be run: one sentence for each, by field name, in ``problems``."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__(" ".join(self.problems.values()))


@dataclass(frozen=True)
class Config:
    """Everything that decides what a run computes. See ``SETTINGS`` for meanings and ranges.

    Raises:
        ConfigError: with one sentence for each field that has the wrong type, is out of range or
            does not fit the other fields; a page shows the sentence beside the widget.

    A run that another program trains (``watched``) has three settings: the names of what is
    recorded as ``networks``, ``record_every``, and the two fields that are no settings,

    Attributes:
        title: what that program calls its run; empty for runs of this program.
        moment: when its recording began, so that no two of its runs are one.
    """

    problem: str = setting(
        "completion", "Problem", "", "What is learned", "problem", choices_of="problems"
    )
    rows: int = setting(
        100, "Rows", "d_out", "Rows of the target matrix", "problem", low=2, high=20_000
    )
    cols: int = setting(
        100, "Columns", "d_in", "Columns of the target matrix", "problem", low=2, high=20_000
    )
    rank: int = setting(5, "Rank", "r", "Rank of the target matrix", "problem", low=1, high=500)
    spectrum: str = setting(
        "top",
        "Target spectrum",
        "s_i",
        "Singular values of the target: the largest of a Gaussian matrix (top), evenly picked "
        "ones (spread), all equal (flat) or falling as 1/i (power-law)",
        "problem",
        choices_of=("top", "spread", "flat", "power-law"),
    )
    matrices: str = setting(
        DRAWN,
        "Matrices",
        "",
        "Where target, mask and the original's first factors come from: drawn from the seeds, or "
        "those of a published figure",
        "problem",
        choices_of=(DRAWN, *NAMES),
    )
    observed: float = setting(
        0.3,
        "Observed fraction",
        "p",
        "Fraction of the entries that is observed",
        "problem",
        low=0,
        high=1,
        above=True,
    )
    holes: str = setting(
        "random",
        "Holes",
        "",
        "Where a picture's pixels are missing: anywhere (random), along scratches, under text or "
        "in a block",
        "problem",
        choices_of=("random", "scratches", "text", "block"),
    )
    measurements: int = setting(
        2000,
        "Measurements",
        "m",
        "Number of measurements, each a weighted sum of all entries",
        "problem",
        low=1,
        high=1_000_000,
    )
    sensing: str = setting(
        "gaussian",
        "Weights of a measurement",
        "A_i",
        "Weights of the sums: Gaussian for each entry (gaussian), or a_i b_iᵀ with Gaussian "
        "vectors, which are far fewer numbers (rank-one)",
        "problem",
        choices_of=("gaussian", "rank-one"),
    )
    input_correlation: float = setting(
        0.0,
        "Correlation of inputs",
        "κ",
        "Correlation of the inputs of neighbouring items, and κ^k of items k apart; 0 for white "
        "inputs, one for each item",
        "problem",
        low=0,
        high=0.95,
    )
    dataset: str = setting(
        "",
        "Data set",
        "",
        "The imported images or rows, picture or matrix; the command line also takes a file's path",
        "problem",
        example=imported.EXAMPLE,
    )
    backbone: str = setting(
        "mlp",
        "Backbone",
        "",
        "The module whose features of an image the networks multiply",
        "problem",
        choices_of="backbones",
    )
    place: str = setting(
        "head",
        "Place of the factors",
        "",
        "Where W_L⋯W_1 stands: it turns features into a score for each class (head), or it is a "
        "hidden layer before a plain last layer (hidden), also with the activation between its "
        "factors (hidden-active)",
        "problem",
        choices_of=("head", "hidden", "hidden-active"),
    )
    activation: str = setting(
        "relu",
        "Activation",
        "",
        "The nonlinearity of the backbone",
        "problem",
        choices_of=("relu", "gelu"),
    )
    features: int = setting(
        128, "Features", "h", "Features of an image", "problem", low=2, high=20_000
    )
    backbone_rate: float = setting(
        1.0,
        "Rate of the backbone",
        "ρ",
        "The backbone moves by ρη: at 0 its features stay as drawn (lazy), at 1 they learn as fast "
        "as the head (rich)",
        "problem",
        low=0,
        high=1000,
    )
    alpha_first: float = setting(
        1.0,
        "Discrepant rate of the first matrix",
        "α₁",
        "The first matrix of the backbone moves by α₁ρη, as the authors' own rate has it",
        "problem",
        low=0,
        high=1000,
        above=True,
    )
    batch: int = setting(
        128,
        "Mini-batch",
        "B",
        "Images of a step; 0 for all training images",
        "problem",
        low=0,
        high=1_000_000,
        unit="images",
    )
    images: int = setting(
        0,
        "Training images",
        "n",
        "Training images that are used; 0 for all",
        "problem",
        low=0,
        high=1_000_000,
        unit="images",
    )
    validation: float = setting(
        0.0,
        "Validation part",
        "",
        "Share of the images or entries to learn from that is kept apart to tell when to stop",
        "problem",
        low=0,
        high=0.9,
    )
    label_noise: float = setting(
        0.0,
        "Label noise",
        "",
        "Share of the training images that have the label of another class",
        "problem",
        low=0,
        high=1,
    )
    sharpness: int = setting(
        0,
        "Sharpness",
        "",
        "At how many moments of the run the largest curvature λ_max of the loss is measured, which "
        "takes seconds each behind a large backbone; 0 for none",
        "problem",
        low=0,
        high=1000,
    )
    noise: float = setting(
        0.0,
        "Noise",
        "σ",
        "Standard deviation of the Gaussian noise on each observed value",
        "problem",
        low=0,
        high=10,
        unit="units of an entry",
    )
    networks: tuple[str, ...] = setting(
        ("original", "compressed"),
        "Networks",
        "",
        "The networks that are trained",
        "network",
        choices_of="networks",
    )
    depth: int = setting(3, "Depth", "L", "Depth: the number of factors", "network", low=2, high=20)
    width: int = setting(
        0,
        "Original width",
        "d",
        "Width of the original network; 0 makes it as wide as the matrix's smaller side, or as the "
        "features",
        "network",
        low=0,
        high=20_000,
    )
    rank_bound: int = setting(
        10,
        "Width bound",
        "r̂",
        "Width bound of the compressed network: a guess at or above the rank",
        "network",
        low=1,
        high=1000,
    )
    initialization: str = setting(
        "orthogonal",
        "Original start",
        "W_l(0)",
        "How the original network's factors are drawn, to the same mean square of the norm",
        "network",
        choices_of=("orthogonal", "normal", "uniform"),
    )
    init_scale: float = setting(
        1e-2,
        "Initial scale",
        "ε",
        "Initialization scale of every factor",
        "network",
        low=0,
        high=10,
        above=True,
    )
    learning_rate: float = setting(
        10.0, "Learning rate", "η", "Learning rate", "training", low=0, high=1e6, above=True
    )
    rate_unit: str = setting(
        "absolute",
        "η is counted in",
        "",
        "What η counts: itself (absolute), or multiples of the stability limit η* (limit)",
        "training",
        choices_of=("absolute", "limit"),
    )
    equal: str = setting(
        "rate",
        "Equal for all",
        "",
        "What all networks have in common: η itself (rate), or its share of their own stability "
        "limits, by η·α^(−2/L) in place of η (margin)",
        "training",
        choices_of=("rate", "margin"),
    )
    alpha: float = setting(
        5.0,
        "Discrepant rate",
        "α",
        "Discrepant learning rate: the compressed network's outer factors move by αη",
        "training",
        low=0,
        high=1000,
        above=True,
    )
    alpha_original: float = setting(
        1.0,
        "Discrepant rate of the original",
        "α₀",
        "The same factor for the original network; the paper leaves it at 1, equal values are fair",
        "training",
        low=0,
        high=1000,
        above=True,
    )
    optimizer: str = setting(
        "gradient_descent",
        "Optimizer",
        "",
        "The rule that turns gradients into steps",
        "training",
        choices_of="optimizers",
    )
    steps: int = setting(
        10_000,
        "Steps at most",
        "t",
        "Steps at most",
        "training",
        low=1,
        high=100_000_000,
        unit="steps",
    )
    record_every: int = setting(
        50,
        "Record every",
        "Δt",
        "Steps between two records",
        "training",
        low=1,
        high=1_000_000,
        unit="steps",
    )
    recording: str = setting(
        "even",
        "Recording",
        "",
        "Records Δt apart throughout (even), or up to 16 Δt apart while no loss moves (escapes)",
        "training",
        choices_of=("even", "escapes"),
    )
    tolerance: float = setting(
        1e-12,
        "Stop at train loss",
        "",
        "A network stops at this training loss; 0 never stops it",
        "training",
        low=0,
        high=1,
    )
    changes: str = setting(
        "",
        "Changes on the way",
        "",
        "Steps at which α, α₀ or η change, or the original is compressed",
        "training",
        example=schedules.EXAMPLE,
    )
    dtype: str = setting(
        "float64",
        "Precision",
        "",
        "Floating-point precision",
        "training",
        choices_of=("float64", "float32"),
    )
    device: str = setting(
        "auto",
        "Device",
        "",
        "Where it is computed; auto takes an accelerator if there is one",
        "training",
        choices_of=("auto", "cpu", "cuda"),
    )
    seed_target: int = setting(
        0, "Seed: target", "", "Seed of the target matrix", "seeds", low=0, high=2**31 - 1
    )
    seed_data: int = setting(
        0,
        "Seed: mask or data",
        "",
        "Seed of the mask, the split, the measurements or the order of images",
        "seeds",
        low=0,
        high=2**31 - 1,
    )
    seed_noise: int = setting(
        0, "Seed: noise", "", "Seed of the noise", "seeds", low=0, high=2**31 - 1
    )
    seed_init: int = setting(
        0,
        "Seed: first factors",
        "",
        "Seed of the original network's first factors",
        "seeds",
        low=0,
        high=2**31 - 1,
    )
    seed_backbone: int = setting(
        0, "Seed: backbone", "", "Seed of the backbone's start", "seeds", low=0, high=2**31 - 1
    )

    title: str = ""
    moment: str = ""

    def __post_init__(self) -> None:
        problems: dict[str, str] = {}
        for name, about in SETTINGS.items():
            try:
                given = getattr(self, name)
                own = name == "networks" and self.watched
                value: Any = _names(given) if own else about.check(given)
                if name == "changes":
                    value = schedules.written(schedules.read(value, _rate))
                elif name == "dataset" and value:
                    value = str(datasets.read(value))
                object.__setattr__(self, name, value)
            except ValueError as error:
                problems[name] = str(error)
        if not problems:
            problems = self._inconsistencies()
        for name in RECORDED:
            if not isinstance(getattr(self, name), str):
                problems[name] = f"{name} must be a text; {getattr(self, name)!r} was given."
        if problems:
            raise ConfigError(problems)

    def _inconsistencies(self) -> dict[str, str]:
        """One sentence for each field that does not fit the other fields, by name."""
        values = {name: getattr(self, name) for name in SETTINGS}
        if missing := consistency.dataset(values):
            return missing
        return (
            consistency.sizes(values, self.shape, SETTINGS)
            | consistency.classes(values, self.contents)
            | consistency.images(values, self.contents)
            | consistency.changes(values, self.shape, self.schedule, SETTINGS)
            | consistency.published(values)
        )

    @property
    def watched(self) -> bool:
        """Whether another program trains the run, and ``dynamics.watch`` records it."""
        return _watched(self.problem)

    @property
    def schedule(self) -> tuple[schedules.Change, ...]:
        """The changes during the run, in ascending order of their steps."""
        return schedules.read(self.changes, _rate)

    @property
    def late(self) -> schedules.LateStart | None:
        """The network that starts from the original during the run; None if no network does."""
        steps = (change.step for change in self.schedule if change.compress)
        return next(map(schedules.LateStart, steps), None)

    @property
    def rates(self) -> dict[str, float]:
        """The settings that may change during the run, with their values at the start."""
        return {name: getattr(self, name) for name in schedules.SYMBOLS}

    @property
    def contents(self) -> Contents | None:
        """What is known of the images whose classes are told apart; None if there are none."""
        return contents(self.problem, self.dataset)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the end-to-end matrix; a data set has its own.

        To tell classes apart, it has a row for each feature and a column for each class, or, as a
        hidden layer, for each feature.
        """
        if self.contents:
            hidden = self.place != "head"
            return self.features, self.features if hidden else self.contents.classes
        return shape(self.problem, self.dataset) or (self.rows, self.cols)

    @property
    def full_width(self) -> int:
        """The original network's width."""
        return self.width or traits.problem(self.problem).full_width(self.shape)

    def starts_late(self, network: str) -> bool:
        """Whether a network starts during the run, from the original at that moment."""
        return self.late is not None and self.late.network == network

    def after(self, step: int) -> "Config":
        """The settings with which the run continues from a step, as if it had begun with them."""
        if not self.changes:
            return self
        # Not ``replace``, which would check whether the late network could start by itself.
        later = copy.copy(self)
        rates = schedules.in_force(self.schedule, self.rates, step)
        for name, value in {**rates, "changes": ""}.items():
            object.__setattr__(later, name, value)
        vars(later).pop("key", None)  # that of this one, if it is known already
        return later

    def canonical(self) -> "Config":
        """The same run, with defaults for the settings that its problem and its networks ignore."""
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

    @functools.cached_property
    def key(self) -> str:
        """Sixteen hexadecimal digits: equal for configs that compute the same, on every machine."""
        # Only settings that differ from their defaults count, so a new setting changes no old key.
        settings = self.canonical().to_dict()
        defaults = Config().to_dict()
        chosen = {name: value for name, value in settings.items() if value != defaults.get(name)}
        content = json.dumps([VERSION, chosen], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """All settings, ready for JSON: ``from_dict`` returns the same Config.

        Only those that it has, if another program trains the run.
        """
        names = ("problem", "networks", "record_every", *RECORDED) if self.watched else SETTINGS
        fields = {name: getattr(self, name) for name in names}
        return fields | {"networks": ",".join(self.networks)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Config":
        """A Config from field names and values, or the texts of values.

        A field that is left out has the value that its problem and its data set suggest, or else
        its default, because one size of step or matrix does not suit all problems. Such a rank or
        width is no larger than the matrix that is given, and a run keeps no more records than it
        may.

        Raises:
            ConfigError: for the reasons of the class, and for a name that is not a field.
        """
        problem = values.get("problem")
        known = {*SETTINGS, *(RECORDED if _watched(problem) else ())}
        unknown = {name: _unknown(name) for name in values if name not in known}
        if unknown:
            raise ConfigError(unknown)
        usual = suggested(problem) | fitting(str(problem), values.get("dataset"))
        return cls(**(usual | _within(usual, values) | dict(values)))


SETTINGS = settings_of(Config)
PROBLEM_SETTINGS = [name for name in SETTINGS if SETTINGS[name].group == "problem"][1:]
PROBLEM_SETTINGS += ["seed_target", "seed_data", "seed_noise", "seed_backbone"]
RECORDED = ("title", "moment")  # fields that only such runs have
SEEDS = [name for name in SETTINGS if SETTINGS[name].group == "seeds"]
# α and the seed of the first factors are missing here: they count even if no network reads them.
# Published figures set both in such runs, and the keys of those runs must not change.
NETWORK_SETTINGS = ["width", "initialization", "alpha_original"]


def choices(name: str) -> dict[str, str]:
    """The values that a field takes, each with its description; empty for a number or a text."""
    return SETTINGS[name].choices


def suggested(problem: str | None) -> dict[str, Any]:
    """The settings that a problem suggests instead of defaults; empty for an unknown problem."""
    if not isinstance(problem, str) or problem not in choices("problem"):
        return {}
    return dict(traits.problem(problem).suggests)


def _within(usual: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What a problem suggests, kept within what given sides and given steps allow."""
    numbers: dict[str, Any] = {}
    problem = given.get("problem", SETTINGS["problem"].default)
    known = isinstance(problem, str) and problem in choices("problem")
    read = traits.problem(problem).reads if known else ()
    for name in ("steps", *({"rows", "cols"} & {*read})):
        # A value that cannot be used is told by the check of all fields.
        with contextlib.suppress(ValueError):
            numbers[name] = SETTINGS[name].check(given[name]) if name in given else None
    sides = [numbers[side] for side in ("rows", "cols") if numbers.get(side)]
    within = {}
    for name in ("rank", "rank_bound"):
        value = usual.get(name, SETTINGS[name].default)
        if value > min(sides, default=value):
            within[name] = min(sides)
    records = usual.get("record_every", SETTINGS["record_every"].default)
    if (steps := numbers.get("steps")) and steps / records > consistency.MOST_RECORDS:
        within["record_every"] = -(-steps // consistency.MOST_RECORDS)
    return within


def _watched(problem: Any) -> bool:
    known = isinstance(problem, str) and problem in choices("problem")
    return known and not traits.problem(problem).trained


def _names(value: Any) -> tuple[str, ...]:
    """The names in a list or in a text with commas: what is recorded of another program's run."""
    parts = value.split(",") if isinstance(value, str) else value
    if not parts or not all(isinstance(part, str) and part for part in parts):
        raise ValueError(f"networks must name what is recorded; {value!r} was given.")
    return tuple(parts)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, SETTINGS, 1)
    return f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else ".")


def _rate(name: str, text: str) -> float:
    rate: float = SETTINGS[name].check(text)
    return rate
