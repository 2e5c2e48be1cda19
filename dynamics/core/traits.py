"""Traits: what an option's file states in its constants, as one typed record for each folder.

Constants are read from the source, so that reading a trait loads neither torch nor the option. Each
field below is the constant of the same name in capitals: ``reads`` is ``READS``. A file may have
further constants; a constant that looks like a misspelt trait is an error.
"""

import ast
import dataclasses
import difflib
import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from dynamics.core import registry

ALIKE = 0.8  # similarity from which one name counts as a misspelling of another
OF_IMAGES = (  # what the tasks of all problems of images are made from
    "backbone", "place", "activation", "features", "backbone_rate", "alpha_first", "batch",
    "images", "validation", "label_noise", "sharpness", "seed_data", "seed_noise", "seed_backbone",
)  # fmt: skip


class TraitError(ValueError):
    """A constant of an option's file that is misspelt, missing or of the wrong type."""


@dataclass(frozen=True)
class ProblemTraits:
    """What a file of ``problems/`` states.

    Attributes:
        reads: the settings of the group ``problem``, and the seeds, that ``make`` reads; of
            ``images``, beside those of OF_IMAGES, which all of these problems read.
        shape: rows and columns if the data fix them; None if they come from the config.
        seen: what is seen of the matrix: ``all`` of it, some ``entries``, a ``list`` of entries
            that is stored without any array of rows × cols, ``sums`` of entries, or ``images``
            whose classes the networks tell apart.
        entries: how many entries the data have; 0 for rows × cols.
        picture: whether the matrix is the brightness of a picture's pixels.
        data: what of a user's the setting ``dataset`` names: ``images`` with classes, a
            ``picture`` or a ``matrix``; empty for a problem that reads no such data.
        table: whether the matrix is the table of ``core.table``, properties × items.
        rated: whether the matrix is what means leave over of ratings, with a validation part.
        target_known: whether the whole matrix is known, so that a recovery error exists.
        suggests: settings that suit the problem better than the defaults do.
        images: how many images can be trained on, and their channels, height and width.
        classes: how many classes the images have that the networks tell apart; 0 if they recover a
            matrix instead.
        trained: whether this program trains it; False for what another program trains and
            ``dynamics.watch`` records.
    """

    reads: tuple[str, ...]
    shape: tuple[int, int] | None = None
    seen: Literal["all", "entries", "list", "sums", "images"] = "entries"
    entries: int = 0
    picture: bool = False
    data: Literal["images", "picture", "matrix", ""] = ""
    table: bool = False
    rated: bool = False
    target_known: bool = True
    suggests: Mapping[str, Any] = field(default_factory=dict)
    images: tuple[int, ...] = ()
    classes: int = 0
    trained: bool = True

    @property
    def classifies(self) -> bool:
        """Whether the networks tell classes apart, and no matrix is recovered."""
        return self.seen == "images"

    def full_width(self, shape: tuple[int, int]) -> int:
        """The original network's width if no setting says it, for W of this shape.

        It is the smaller side of a matrix, or the number of features.
        """
        return shape[0] if self.classifies else min(shape)

    @property
    def low_rank(self) -> bool:
        """Whether the target has the config's rank; photographs and ratings have full rank."""
        return self.table or "spectrum" in self.reads


@dataclass(frozen=True)
class NetworkTraits:
    """What a file of ``networks/`` states; all defaults for a line of a chart that is no network.

    Attributes:
        width: the setting that has the network's width.
        start: whether its first factors are ``random`` or the surrogate's singular vectors.
        alpha: the setting that has the network's α.
        reads: which of the settings ``width``, ``initialization`` and ``seed_init`` decide its
            first factors.
        like: the network whose file makes the factors, and states the traits that this file leaves
            out.
        reduction: the exact simulation in ``steps/reduced.py`` that makes its steps; empty for a
            network that makes its own steps.
        classifies: whether it only tells classes apart, and recovers no matrix.
        depth: the number of its factors whatever the config's depth is; 0 for the config's depth.
        layered: whether autograd makes its steps, factor by factor.
    """

    width: Literal["width", "rank_bound", ""] = ""
    start: Literal["random", "spectral", ""] = ""
    alpha: Literal["alpha", "alpha_original"] = "alpha_original"
    reads: tuple[str, ...] = ()
    like: str = ""
    reduction: Literal["core", "diagonal", ""] = ""
    classifies: bool = False
    depth: int = 0
    layered: bool = False

    @property
    def decided_by(self) -> tuple[str, ...]:
        """The settings that this network reads and some other networks ignore."""
        return (*self.reads, self.alpha)

    @property
    def reduced(self) -> bool:
        """Whether an exact simulation replaces the network's own steps."""
        return bool(self.reduction)

    @property
    def narrow(self) -> bool:
        """Whether the network has width r̂."""
        return self.width == "rank_bound"

    @property
    def spectral(self) -> bool:
        """Whether the network starts at the surrogate's singular vectors."""
        return self.start == "spectral"

    @property
    def adrift(self) -> bool:
        """Whether the network is narrow and starts at random: no theory covers that."""
        return self.narrow and not self.spectral


@dataclass(frozen=True)
class BackboneTraits:
    """What a file of ``backbones/`` states.

    Attributes:
        side: both sides of an image must be multiples of it.
    """

    side: int = 1


@dataclass(frozen=True)
class OptimizerTraits:
    """What a file of ``optimizers/`` states.

    Attributes:
        keeps: numbers that the optimizer keeps for each parameter.
        plain: whether the direction is the gradient itself, so that a step can be fused into the
            last product of the gradient.
        momentum: the share of the last step that is added to the gradient; None for a rule
            without it.
        rescales: whether the gradient is divided by its own size, which amplifies rounding where
            the gradient is small.
    """

    keeps: int
    plain: bool = False
    momentum: float | None = None
    rescales: bool = False

    @property
    def inertia(self) -> float | None:
        """The momentum; 0 for the plain gradient, None for a rule that is neither."""
        return 0.0 if self.plain else self.momentum


@dataclass(frozen=True)
class MeasurementTraits:
    """What a file of ``measurements/`` states.

    Attributes:
        unit: the unit of its numbers.
        index: what each index of its numbers counts; empty if one sentence of the README of a zip
            says it for all.
        seldom: whether most records lack it: NaN there, and its lines connect what was measured.
    """

    unit: str = "no unit"
    index: tuple[str, ...] = ()
    seldom: bool = False


@dataclass(frozen=True)
class ChartTraits:
    """What a file of ``charts/`` states.

    Attributes:
        kind: ``lines`` over time, a ``surface`` in space, a ``map`` of W's cells, the ``picture``
            that W is, a ``matrix`` of recorded shares, or a ``scatter`` of recorded points.
        needs: the measurements without which there is no chart.
        lacks: the sentence shown instead of the chart if those measurements are missing.
        expected: whether the chart also draws what theory predicts for a run.
    """

    kind: Literal["lines", "surface", "map", "picture", "matrix", "scatter"] = "lines"
    needs: tuple[str, ...] = ()
    lacks: str = ""
    expected: bool = False

    @property
    def of_moment(self) -> bool:
        """Whether the chart shows one moment of the run, and moves with the cursor."""
        return self.kind in ("map", "picture", "matrix", "scatter")

    @property
    def missing(self) -> str:
        """The sentence for a run that lacks a measurement that the chart needs."""
        named = " and ".join(self.needs).replace("_", " ")
        return self.lacks or f"This run does not record {named}."


@dataclass(frozen=True)
class FigureTraits:
    """What a file of ``figures/`` states about a published figure.

    Attributes:
        source: the notebook or picture that the figure comes from.
        caption: a sentence on its panels, for the caption of a file.
        borrowed: a sentence on settings that were not published with the figure.
        beside: the label of the run whose data the other methods learn from.
        published: published numbers that are not part of a curve.
    """

    source: str
    caption: str
    borrowed: str = ""
    beside: str = ""
    published: Mapping[str, float] = field(default_factory=dict)


def problem(name: str) -> ProblemTraits:
    """The traits of a problem."""
    stated = _read("problems", name, ProblemTraits)
    if not stated.classifies:
        return stated
    return dataclasses.replace(stated, reads=(*stated.reads, *OF_IMAGES))


@functools.cache
def network(name: str) -> NetworkTraits:
    """The traits of a network; all defaults for the name of a line that is no network."""
    if name not in registry.options("networks"):
        return NetworkTraits()
    stated = _stated("networks", name, NetworkTraits)
    if like := stated.get("like"):
        stated = _stated("networks", like, NetworkTraits) | stated
    return NetworkTraits(**stated)


def backbone(name: str) -> BackboneTraits:
    """The traits of a backbone."""
    return _read("backbones", name, BackboneTraits)


def optimizer(name: str) -> OptimizerTraits:
    """The traits of an optimizer."""
    return _read("optimizers", name, OptimizerTraits)


def measurement(name: str) -> MeasurementTraits:
    """The traits of a measurement."""
    return _read("measurements", name, MeasurementTraits)


def chart(name: str) -> ChartTraits:
    """The traits of a chart."""
    return _read("charts", name, ChartTraits)


def figure(name: str) -> FigureTraits:
    """The traits of a published figure."""
    return _read("figures", name, FigureTraits)


def full_name(name: str) -> str:
    """A network's name in words, such as ``original network with α``."""
    headline = registry.options("networks").get(name, name.replace("_", " "))
    words = headline.partition(":")[0]
    return words[0].lower() + words[1:]


def short_name(name: str) -> str:
    """A network's name without the word network, for a legend: ``original with α``."""
    return full_name(name).replace(" network", "")


Traits = TypeVar("Traits")


@functools.cache
def _read(folder: str, name: str, record: type[Traits]) -> Traits:
    """The traits of one file.

    Raises:
        ValueError: if the option does not exist.
        TraitError: with one sentence, if the file misspells, lacks or mistypes a constant.
    """
    return record(**_stated(folder, name, record))


def _stated(folder: str, name: str, record: type[Any]) -> dict[str, Any]:
    """The fields of a record that one file states, by name.

    Raises:
        ValueError: if the option does not exist.
        TraitError: with one sentence, if the file misspells, lacks or mistypes a constant.
    """
    registry.need(folder, name)
    hints = typing.get_type_hints(record)
    fields = {trait.name.upper(): trait for trait in dataclasses.fields(record)}
    file = f"{registry.PLACES[folder]}/{name}.py"
    values: dict[str, Any] = {}
    for constant, node in _constants(folder, name):
        if constant in fields:
            values[fields[constant].name] = _value(node, constant, hints, file)
        elif near := difflib.get_close_matches(constant, fields, 1, ALIKE):
            raise TraitError(f"{file} has {constant}, which nobody reads; did you mean {near[0]}?")
    for constant, trait in fields.items():
        required = trait.default is trait.default_factory is dataclasses.MISSING
        if required and trait.name not in values:
            raise TraitError(f"{file} must state {constant}.")
    return values


def _constants(folder: str, name: str) -> list[tuple[str, ast.expr | None]]:
    """Every name that a file assigns at its top level, with its value; None in a tuple of names."""
    assigned: list[tuple[str, ast.expr | None]] = []
    for node in ast.parse((registry.place(folder) / f"{name}.py").read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name):
                assigned.append((target.id, getattr(node, "value", None)))
            elif isinstance(target, ast.Tuple):
                names = [part.id for part in target.elts if isinstance(part, ast.Name)]
                assigned += [(name, None) for name in names]
    return assigned


def _value(node: ast.expr | None, constant: str, hints: Mapping[str, Any], file: str) -> Any:
    try:
        value = ast.literal_eval(node)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        raise TraitError(
            f"{file}: {constant} must be a literal on a line of its own, as it is read without "
            "running the file."
        ) from None
    hint = hints[constant.lower()]
    if not _fits(value, hint):
        raise TraitError(f"{file}: {constant} must be {_described(hint)}; {value!r} was given.")
    return value


def _fits(value: Any, hint: Any) -> bool:
    """Whether a literal has the type of a trait."""
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin is Literal:
        return isinstance(value, str) and value in arguments
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if origin is tuple and isinstance(value, tuple):
        if arguments[-1] is ...:
            arguments = arguments[:1] * len(value)
        return len(value) == len(arguments) and all(map(_fits, value, arguments))
    plain: Any = {Mapping: dict, tuple: tuple, float: (int, float)}.get(origin or hint, hint)
    return isinstance(value, plain) and isinstance(value, bool) == (hint is bool)


def _described(hint: Any) -> str:
    """A trait's type in words."""
    if typing.get_origin(hint) is Literal:
        return f"one of {', '.join(filter(None, typing.get_args(hint)))}"
    words = {str: "a text", bool: "True or False", int: "a whole number", float: "a number"}
    if typing.get_origin(hint) is Mapping:
        return "a dictionary"
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return " or ".join(_described(argument) for argument in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        parts = typing.get_args(hint)
        if parts[-1] is ...:
            return f"a tuple, each {words[parts[0]]}"
        return f"a tuple of {len(parts)}"
    return words.get(hint, "None")
