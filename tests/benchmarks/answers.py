"""``python -m tests.benchmarks.answers FILE [QUESTION ...]``: measures for docs/nonlinear.md.

Trains every case of every question over the seeds that it needs, adds a line of JSON to FILE for
each network, and prints the tables. What FILE has already is not trained again, so that the command
can be stopped and continued. All of it takes about two hours on one core.
"""

import dataclasses
import json
import math
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.core.rates import rates
from dynamics.engine.losses.classification import Classification
from dynamics.engine.measuring.measure import Measuring
from dynamics.engine.measuring.state import State
from dynamics.engine.measuring.whole_loss import sharpness
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.training.comparison import Comparison, prepare

SEEDS = range(5)
MOMENTS = (0, 350, 700, 1050, 1400)  # of a run with α = 1, at which λ_max is measured
TAIL = 7  # last records whose mean is the end of a run; all held-out images are read for them
SERIES = ("train_loss", "test_loss", "accuracy", "train_accuracy", "validation_accuracy")
BASE: dict[str, Any] = {
    "problem": "fashion_mnist",
    "backbone": "mlp",
    "features": 128,
    "depth": 3,
    "rank_bound": 10,
    "init_scale": 0.1,
    "alpha": 1.0,
    "learning_rate": 0.05,
    "optimizer": "momentum",
    "batch": 128,
    "steps": 1400,
    "record_every": 50,
    "dtype": "float32",
    "tolerance": 0.0,
}


@dataclass(frozen=True)
class Case:
    """Networks that are trained with the same settings, which ``label`` names in a table."""

    label: str
    networks: tuple[str, ...]
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def config(self, seed: int, network: str = "") -> Config:
        """The settings of all its networks, or of one, with this seed."""
        seeds = {f"seed_{name}": seed for name in ("init", "data", "noise", "backbone")}
        names = {"networks": network or ",".join(self.networks)}
        return Config.from_dict(BASE | dict(self.settings) | seeds | names)


HEADS = ("plain", "original", "compressed", "narrow_random")
BACKBONES: dict[str, dict[str, Any]] = {
    "cnn": {"backbone": "cnn", "learning_rate": 0.02},
    "vit": {"backbone": "vit", "learning_rate": 0.002, "optimizer": "adam"},
    "residual": {"backbone": "residual"},
}
# η of 0.05 divided by what ``ratios`` gives, by ε and α: all at the same share of the limit.
EQUAL = {
    0.1: {0.2: 0.0674, 1.0: 0.05, 5.0: 0.02, 20.0: 0.006},
    1.0: {0.2: 0.0522, 1.0: 0.05, 5.0: 0.0256, 20.0: 0.0077},
}
QUESTIONS: dict[str, list[Case]] = {
    "claim": [Case("mlp", HEADS, {"features": 512, "steps": 2340, "init_scale": 1.0})],
    "backbones": [
        Case(name, HEADS, {"init_scale": 1.0, "steps": 300, "record_every": 15} | more)
        for name, more in BACKBONES.items()
    ],
    "width": [
        Case(f"r̂ = {bound}", names, {"rank_bound": bound, "features": 256})
        for bound in (1, 2, 3, 4, 10, 20)
        for names in [("compressed", "narrow_random") if bound <= 10 else ("narrow_random",)]
    ],
    "alpha": [
        Case(f"ε = {scale:g}, α = {alpha:g}", ("compressed",), start | {"alpha": alpha})
        for scale in (0.1, 1.0)
        for start in [{"init_scale": scale}]
        for alpha in (0.2, 1.0, 5.0, 20.0)
    ],
    "margin": [
        Case(f"ε = {scale:g}, α = {alpha:g}, η = {rate:.2g}", ("compressed",), start | {
            "alpha": alpha, "learning_rate": rate})
        for scale, rates_of in EQUAL.items()
        for start in [{"init_scale": scale}]
        for alpha, rate in rates_of.items()
    ],
    "scale": [
        Case(f"ε = {scale:g}", ("original", "compressed", "narrow_random"), {"init_scale": scale})
        for scale in (0.05, 0.1, 0.3, 1.0)
    ],
    "adam": [
        Case(f"ε = {scale:g}, α = {alpha:g}", names, more | {"init_scale": scale, "alpha": alpha})
        for more in [{"optimizer": "adam", "learning_rate": 0.001}]
        for scale in (0.1, 1.0)
        for alpha, names in ((1.0, ("original", "compressed")), (5.0, ("compressed",)))
    ],
    "noise": [
        Case(f"{share:.0%} of the labels", HEADS, {"label_noise": share, "validation": 0.1,
             "images": 5000, "steps": 2800,
                "record_every": 100})
        for share in (0.0, 0.4)
    ],
    "modes": [
        Case(f"L = {depth}, ε = {scale:g}", ("original",), {"depth": depth, "init_scale": scale})
        for depth in (2, 3, 4)
        for scale in (0.1, 1.0)
    ],
}  # fmt: skip


def train(comparison: Comparison, name: str) -> dict[str, Any]:
    """Train one network; its series at each record, and its last singular values."""
    config = comparison.config
    network, problem = comparison.networks[name], comparison.problem
    optimizer = registry.load("optimizers", config.optimizer)
    steps = fastest(network, problem, optimizer, comparison.learning_rate)
    now = rates(config, name, comparison.learning_rate)
    steps.learning_rate, steps.alpha = now.learning_rate, now.alpha
    known = {*registry.options("measurements")}
    count = min(config.shape)
    shown = Measuring(network, problem, count, [each for each in SERIES if each in known])
    whole = Measuring(network, problem.at_end(), count, [*shown.all(), "singular_values"])
    found: dict[str, list[float]] = {name: [] for name in ("step", *shown.all())}
    last = range(config.steps, 0, -config.record_every)[:TAIL]
    for step in range(0, config.steps + 1, config.record_every):
        if step:
            steps.step(config.record_every)
        values = (whole if step in last else shown).all()
        found["step"].append(step)
        for each, value in values.items():
            if each in found:
                found[each].append(float(value))
    return {**found, "singular_values": np.asarray(whole.all()["singular_values"]).tolist()}


def ratios(scale: float, alphas: Sequence[float]) -> list[float]:
    """λ_max(D^½ H D^½) for each α, by that of α = 1: how much smaller η must be for one margin.

    D has α for the outer factors and 1 for all else. H is the Hessian at MOMENTS of a run with
    α = 1; each λ_max is the largest of all moments.
    """
    case = Case("", ("compressed",), {"init_scale": scale})
    comparison = prepare(case.config(0))
    network, problem = comparison.networks["compressed"], comparison.problem
    assert isinstance(problem, Classification) and network.backbone is not None
    steps = fastest(network, problem, registry.load("optimizers", "momentum"), 0.05)
    moving = len([*network.backbone.parameters()])
    found = np.zeros((len(MOMENTS), 1 + len(alphas)))
    done = 0
    for row, step in zip(found, MOMENTS, strict=True):
        steps.step(step - done)
        done = step
        state = State(network, 10)
        for index, alpha in enumerate((1.0, *alphas)):
            paces = [alpha, *[1.0] * (len(network.factors) - 2), alpha, *[1.0] * moving]
            row[index] = sharpness(state, problem.recorded, paces)
    largest = np.nanmax(found, axis=0)
    return [float(value) for value in largest[1:] / largest[0]]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """What the file has, one dictionary for each trained network."""
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def main(arguments: list[str]) -> int:
    """Train what is missing, then print all tables."""
    path, *asked = arguments
    file = Path(path)
    done = {line["key"] for line in lines(file)}
    for question in asked or QUESTIONS:
        for case in QUESTIONS[question]:
            for seed in SEEDS:
                keys = {name: case.config(seed, name).key for name in case.networks}
                left = [name for name in keys if keys[name] not in done]
                comparison = prepare(case.config(seed)) if left else None
                for name in left if comparison else ():
                    made = {"key": keys[name]} | train(comparison, name)
                    done.add(keys[name])
                    with file.open("a", encoding="utf-8") as out:
                        out.write(json.dumps(made) + "\n")
                    print(question, case.label, name, seed, made["accuracy"][-1], flush=True)
    found = {line["key"]: line for line in lines(file)}
    for question in asked or QUESTIONS:
        print(f"\n## {question}\n")
        for row in table(QUESTIONS[question], found):
            print(row)
    return 0


def table(cases: list[Case], found: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """A row for each case and network: mean and range over the seeds that were trained."""
    columns = ["accuracy at the end", "best", "train", "steps to .80", "steps to .85", "σ > 1", "N"]
    yield "| | network | " + " | ".join(columns) + " |"
    yield "|---|---|" + "---|" * len(columns)
    for case in cases:
        for network in case.networks:
            keys = [case.config(seed, network).key for seed in SEEDS]
            rows = [found[key] for key in keys if key in found]
            if rows:
                cells = [_spread(values) for values in zip(*map(_numbers, rows), strict=True)]
                yield f"| {case.label} | {network} | {' | '.join(cells)} | {len(rows)} |"


def _numbers(row: dict[str, Any]) -> list[float]:
    accuracy = np.array(row["accuracy"])
    train = row.get("train_accuracy") or [float("nan")]
    reached = [
        float(row["step"][int(np.argmax(accuracy >= level))]) if (accuracy >= level).any()
        else float("nan")
        for level in (0.8, 0.85)
    ]  # fmt: skip
    grown = float(sum(value > 1 for value in row["singular_values"]))
    end = float(accuracy[-TAIL:].mean())
    return [end, _chosen(row), float(np.mean(train[-TAIL:])), *reached, grown]


def _chosen(row: dict[str, Any]) -> float:
    """The held-out accuracy at the record of the best validation accuracy, if there is one."""
    valid = row.get("validation_accuracy")
    index = int(np.argmax(valid or row["accuracy"]))
    return float(row["accuracy"][index])


def _spread(values: tuple[float, ...]) -> str:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return "–"
    digits = 0 if max(known) > 20 else 3 if max(known) <= 1 else 1
    text = (
        f"{statistics.mean(known):.{digits}f} ({min(known):.{digits}f} … {max(known):.{digits}f})"
    )
    return text if len(known) == len(values) else f"{text}, {len(known)} of {len(values)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
