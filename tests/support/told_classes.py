"""Told of classes: each sentence on such a run is read back and held against its records."""

import math
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.core.records import Array, Trajectory
from dynamics.core.words import brief, duration, raised, value
from dynamics.findings.classes import named
from dynamics.findings.failures import Failure

NAME = (
    r"[Tt]he ((?:[a-z]+ )?(?:network(?: layer by layer| with (?:random start|spectral start|α))?"
    r"|layer))"
)
Runs = Mapping[str, Trajectory]


def hold(config: Config, runs: Runs, failed: Sequence[Failure], sentences: Sequence[str]) -> None:
    """Each sentence agrees with the records, and none that they call for is missing."""
    kinds = []
    for sentence in sentences:
        for kind, (pattern, check) in KINDS.items():
            match = re.fullmatch(pattern.replace("NAME", NAME), sentence)
            if match:
                assert check(config, runs, match), (kind, sentence)
                kinds.append(kind)
                break
        else:
            assert any(each.sentence == sentence for each in failed) or re.match(
                r"The test loss of|The .+ diverged by step|The training loss of", sentence
            ), f"no pattern reads: {sentence}"
    sound = [each for each in runs.values() if np.isfinite(each.series["train_loss"][-1])]
    assert ("accuracies" in kinds) == bool(sound)
    if "original" in runs:  # the same layer by layer has the same numbers
        sound = [each for each in sound if each.network != "original_layered"]
    assert kinds.count("directions") == sum(math.isfinite(ended(each)) for each in sound)
    assert "memorised" in kinds or not any(memorised(each) for each in sound)


def own(runs: Runs, words: str) -> Trajectory:
    return next(each for name, each in runs.items() if traits.full_name(name) == words)


def ended(run: Trajectory) -> float:
    """The first record whose loss is at most 0.9 ln K."""
    below = run.series["train_loss"] <= 0.9 * math.log(len(run.facts["classes"]))
    return float(run.steps[below.argmax()]) if below.any() else math.inf


def tail(values: Array, end: int) -> float:
    return float(np.mean(values[max(0, end - 6) : end + 1]))


def memorised(run: Trajectory) -> bool:
    held, train = run.series["accuracy"], run.series["train_accuracy"]
    if len(held) < 8:
        return False
    means = [tail(held, end) for end in range(6, len(held))]
    best = int(np.argmax(means))
    risen = tail(train, len(train) - 1) - tail(train, best + 6)
    return means[best] - means[-1] > 0.0201 and risen > 0.0101


def _accuracies(config: Config, runs: Runs, match: re.Match[str]) -> bool:
    told = re.findall(rf"([\d.]+) % for {NAME}(?=,| and |$)", match[1])
    shares = [float(share) for share, _ in told]
    right = all(
        abs(share - 100 * tail(own(runs, name).series["accuracy"], len(own(runs, name).steps) - 1))
        < 0.051
        for share, (_, name) in zip(shares, told, strict=True)
    )
    sound = [each for each in runs.values() if np.isfinite(each.series["train_loss"][-1])]
    return right and shares == sorted(shares)[::-1] and len(told) == len(sound)


def _cheapest(config: Config, runs: Runs, match: re.Match[str]) -> bool:
    level = float(match[1]) / 100
    text = f"the {match[2]} {match[3]}"
    told = re.findall(
        rf"{NAME} ([\d,]+) steps? and (\S+(?:\s×\s\S+)?) operations(?:, ([\d.]+ (?:s|min|h)))?",
        text,
    )
    work = []
    for name, steps, operations, seconds in told:
        run = own(runs, name)
        at = int((run.series["accuracy"] >= level).argmax())
        work.append(float(run.operations[at]))
        if run.steps[at] != value(steps) or raised(brief(run.operations[at])) != operations:
            return False
        if seconds and raised(duration(run.seconds[at])) != seconds:
            return False
    plain = "plain" not in runs or not np.isfinite(runs["plain"].series["train_loss"][-1])
    return (plain or "the plain layer" in text) and work == sorted(work) and len(told) > 1


def _layered(config: Config, runs: Runs, match: re.Match[str]) -> bool:
    saved = runs["original_layered"].operations[-1] / runs["original"].operations[-1]
    size = max(saved, 1 / saved)
    return match[1] is None or value(match[1]) == value(f"{size:.2g}")


def _plateau(config: Config, runs: Runs, match: re.Match[str]) -> bool:
    run = own(runs, match[1])
    step, foretold = value(match[2]), value(match[4])
    last = ended(run)
    before = run.steps[max(0, int(np.flatnonzero(run.steps == last)[0]) - 1)]
    between = before - 0.5 <= step <= last + 0.5
    apart = last - before + 3
    held = step <= (3 if match[3] else 1.1) * foretold + apart
    if match[5]:  # an upper bound, which a first-order forecast is at most
        most = value(match[5])
        held = held and foretold <= most and step <= (3 if match[3] else 1.05) * most + apart
    assert match[5] is None or config.backbone_rate
    return between and held and (bool(match[3]) or step >= 0.85 * foretold - apart)


def _waits(config: Config, runs: Runs, match: re.Match[str]) -> bool:
    run = own(runs, match[1])
    return math.isinf(ended(run)) and value(match[2]) > value(match[3]) == run.steps[-1]


def _directions(config: Config, runs: Runs, match: re.Match[str]) -> bool:
    run = own(runs, match[1])
    values, vectors = run.series["singular_values"][-1], run.series["class_vectors"][-1]
    used = int(match[2])
    right = all(values[:used] >= 0.05 * values[0]) and all(values[used:] < 0.05 * values[0])
    names = match[4].split("; ") if match[4] else []
    classes = list(run.facts["classes"])
    return (
        right
        and int(match[3]) == len(values)
        and all(
            name == named(vector, classes) for name, vector in zip(names, vectors, strict=False)
        )
    )


def _memorised(config: Config, runs: Runs, match: re.Match[str]) -> bool:
    run = own(runs, match[1])
    held, train = run.series["accuracy"], run.series["train_accuracy"]
    at = int(np.flatnonzero(run.steps == value(match[2]))[0])
    last = len(held) - 1
    wanted = (tail(held, at), tail(held, last), tail(train, at), tail(train, last))
    near = all(abs(float(match[3 + i]) - 100 * share) < 0.051 for i, share in enumerate(wanted))
    best = max(tail(held, end) for end in range(6, len(held)))
    noisy = ("wrong" in match[7]) == (config.label_noise > 0)
    return near and noisy and wanted[0] == best and wanted[0] > wanted[1] and wanted[3] > wanted[2]


KINDS: dict[str, tuple[str, Callable[[Config, Runs, re.Match[str]], bool]]] = {
    "accuracies": (
        r"The (?:mean accuracy of the last \d records|accuracy) on held-out images is (.+)\.",
        _accuracies,
    ),
    "cheapest": (r"An accuracy of (\d+) % took the (.+?) the fewest operations: (.+)\.", _cheapest),
    "layered": (
        r"As one matrix the original network took (?:([\d.,]+) × \w+|as many) operations \w+ "
        r"layer by layer, for the same steps\.",
        _layered,
    ),
    "plateau": (
        r"The loss of NAME had fallen by 10 % at step ([\d,]+); the forecast from the first "
        r"gradient was( about)? ([\d,]+)(?:, and at most(?: about)? ([\d,]+), as when the "
        r"backbone learns nothing meanwhile)?\.",
        _plateau,
    ),
    "waits": (
        r"NAME has not left its plateau: that takes(?: about)? ([\d,]+) steps by the "
        r"forecast, and the run has ([\d,]+)\.",
        _waits,
    ),
    "directions": (
        r"NAME uses (\d+) of the (\d+) directions? of W(?:; the largest tells? apart (.+))?\.",
        _directions,
    ),
    "memorised": (
        r"The held-out accuracy of NAME was highest about step ([\d,]+), ([\d.]+) %, and is "
        r"([\d.]+) % in the end, while its accuracy on training images rose from ([\d.]+) % to "
        r"([\d.]+) %: (it learned .+)\.",
        _memorised,
    ),
}
