"""Consistency: settings that are right each by itself but do not fit each other.

Each function returns one sentence for each setting that should change, by the setting's name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dynamics.core import registry, traits
from dynamics.core.changes import Change, LateStart
from dynamics.core.contents import Contents
from dynamics.core.setting import Setting
from dynamics.core.words import count
from dynamics.data import dataset as datasets
from dynamics.data.published import DRAWN, arrays, settings, start

MOST_RECORDS = 100_000  # of a run
# Settings that published matrices ignore.
FIXED = ("spectrum", "seed_target", "seed_data", "seed_init")


def sizes(
    values: Mapping[str, Any], shape: tuple[int, int], known: Mapping[str, Setting]
) -> dict[str, str]:
    """Ranks and widths larger than the matrix, and more records than a run keeps."""
    problems = {}
    side = min(shape)
    # Where classes are told apart there is no rank, and a wider network has spare directions.
    recovers = not traits.problem(values["problem"]).classifies
    for name in ("rank", "rank_bound") if recovers else ():
        if values[name] > side:
            problems[name] = (
                f"{known[name].label} must be at most {side}, the smaller side of a "
                f"{shape[0]} × {shape[1]} matrix; {values[name]} was given."
            )
    steps = values["steps"]
    if steps / values["record_every"] > MOST_RECORDS:
        problems["record_every"] = (
            f"{known['record_every'].label} must be at least {-(-steps // MOST_RECORDS)} for "
            f"{count(steps, 'step')}: a run keeps at most {MOST_RECORDS} records."
        )
    return problems


def dataset(values: Mapping[str, Any]) -> dict[str, str]:
    """A missing data set, or one of another kind, without which nothing else can be checked."""
    problem, given = values["problem"], values["dataset"]
    wanted = traits.problem(problem).data
    if not wanted or (given and datasets.kind(given) == wanted):
        return {}
    sentence = (
        f"dataset must be given with the problem {problem}: {datasets.CALLED[wanted]}, or the id "
        "of one that was imported."
    )
    if given:
        fit = datasets.PROBLEMS[datasets.kind(given)]
        sentence = (
            f"dataset must be {datasets.CALLED[wanted]} with the problem {problem}; {given} is one "
            f"for the problem {fit}."
        )
    return {"dataset": sentence}


def classes(values: Mapping[str, Any], known: Contents | None) -> dict[str, str]:
    """What has no meaning where classes are told apart, or nowhere else."""
    problem = values["problem"]
    kinds = {name: traits.network(name) for name in values["networks"]}
    if known is None:
        alone = [name for name, kind in kinds.items() if kind.classifies]
        if not alone:
            return {}
        fit = [name for name in registry.options("problems") if traits.problem(name).classifies]
        return {
            "networks": f"{' and '.join(alone)} can only tell classes apart, and {problem} has "
            f"none; {' and '.join(fit)} would do."
        }
    problems = {}
    reduced = [name for name, kind in kinds.items() if kind.reduced]
    if reduced:
        problems["networks"] = (
            f"{' and '.join(reduced)} simulate the recovery of a matrix; {problem} has none."
        )
    problems |= _hidden(values)
    for name, value in (("rate_unit", "absolute"), ("equal", "rate")):
        if values[name] != value:
            problems[name] = (
                f"{name} must be {value} with {problem}: no stability limit is known for it."
            )
    return problems


def images(values: Mapping[str, Any], known: Contents | None) -> dict[str, str]:
    """More images than there are, parts without an image, and images that a backbone cannot cut."""
    if known is None:
        return {}
    problems = {}
    apart = validation(known, values["validation"])
    if values["validation"] and not 0 < apart < known.images:
        problems["validation"] = (
            f"validation must leave at least one of {count(known.images, 'training image')} on "
            f"either side; {values['validation']:g} was given."
        )
    left = known.images - apart
    used = values["images"] or left
    for name, most in (("images", left), ("batch", used)):
        if values[name] > most and not problems:
            problems[name] = (
                f"{name} must be at most {most:,}, the number of training images; "
                f"{values[name]:,} was given."
            )
    side = traits.backbone(values["backbone"]).side
    _, height, width = known.shape
    if height % side or width % side:
        problems["backbone"] = (
            f"The backbone {values['backbone']} cuts images into {side} × {side} patches, so both "
            f"sides must be multiples of {side}; these are {height} × {width}."
        )
    return problems


def _hidden(values: Mapping[str, Any]) -> dict[str, str]:
    """What a hidden layer cannot have: a start from the gradient, and steps told twice."""
    place = values["place"]
    if place == "head":
        return {}
    late = "compressed" if ":compress" in values["changes"] else ""
    kinds = {name: traits.network(name) for name in values["networks"] if name != late}
    sentence = ""
    if spectral := [name for name, kind in kinds.items() if kind.spectral]:
        sentence = (
            f"{' and '.join(spectral)} cannot start in the place {place}: an activation follows W, "
            "so that its gradient at W = 0 shows no direction; narrow_random starts at random."
        )
    elif layered := [name for name, kind in kinds.items() if kind.layered]:
        sentence = (
            f"{' and '.join(layered)} would repeat original in the place {place}, where every "
            "network is evaluated layer by layer."
        )
    problems = {"networks": sentence} if sentence else {}
    if late and place == "hidden-active":
        problems["changes"] = (
            f"changes cannot compress in the place {place}: with activations between its factors "
            "a network is no product that could be cut."
        )
    return problems


def validation(known: Contents, share: float) -> int:
    """How many images a validation part of this share has."""
    return round(share * known.images)


def changes(
    values: Mapping[str, Any],
    shape: tuple[int, int],
    schedule: Sequence[Change],
    known: Mapping[str, Setting],
) -> dict[str, str]:
    """Changes after the run's end, and a late start that the networks do not allow."""
    sentence = ""
    last = max((change.step for change in schedule), default=0)
    if last >= values["steps"]:
        sentence = f"changes must come before the last step, {values['steps']}; {last} was given."
    for late in [LateStart(change.step) for change in schedule if change.compress]:
        width = values["width"] or traits.problem(values["problem"]).full_width(shape)
        if not {late.source, late.network} <= set(values["networks"]):
            sentence = (
                f"changes can compress only where networks has {late.source} and {late.network}."
            )
        elif values["rank_bound"] > width:
            sentence = (
                f"changes can compress only to a width below the original's, {width}; "
                f"{known['rank_bound'].label} is {values['rank_bound']}."
            )
        elif values["rank_bound"] > min(shape):
            sentence = (
                f"changes can compress only to a width of at most {min(shape)}: W has no more "
                f"directions; {known['rank_bound'].label} is {values['rank_bound']}."
            )
    return {"changes": sentence} if sentence else {}


def published(values: Mapping[str, Any]) -> dict[str, str]:
    """Settings that do not fit the published matrices."""
    matrices = values["matrices"]
    problem = values["problem"]
    if matrices == DRAWN:
        return {}
    if "matrices" not in traits.problem(problem).reads:
        return {"matrices": f"{problem} has no published matrices; matrices must be drawn."}
    stored = settings(matrices)
    if problem == "completion" and "mask" not in arrays(matrices):
        return {
            "problem": f"problem must be factorization with the matrices {matrices}: they have no "
            "mask."
        }
    fixed = {"rows": stored["d"], "cols": stored["d"], "rank": stored["r"]}
    if problem == "completion":
        fixed |= {"observed": stored["observed"], "validation": 0.0}
    problems = {
        name: f"{name} must be {value} with the matrices {matrices}; {values[name]} was given."
        for name, value in fixed.items()
        if values[name] != value
    }
    if any(network.startswith("original") for network in values["networks"]):
        problems |= _start(values)
    return problems


def _start(values: Mapping[str, Any]) -> dict[str, str]:
    """Settings of the original network that do not fit the stored first factors."""
    condition = f"with the matrices {values['matrices']}"
    problems = {}
    if not start(values["matrices"], values["problem"], values["depth"]):
        problems["depth"] = f"There are no first factors for depth {values['depth']} {condition}."
    if values["width"] not in (0, settings(values["matrices"])["d"]):
        problems["width"] = f"width must be 0 {condition}; {values['width']} was given."
    if values["initialization"] != "orthogonal":
        problems["initialization"] = f"initialization must be orthogonal {condition}."
    return problems
