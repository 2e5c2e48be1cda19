"""Printed: the tables and verdicts that commands print."""

import dataclasses
import json
import math
import sys
from typing import TYPE_CHECKING, Any

from dynamics.core import traits
from dynamics.core.records import TAIL, Trajectory, tail_mean
from dynamics.core.words import count
from dynamics.findings import validation
from dynamics.findings.failures import Failure
from dynamics.findings.outcomes import milestones, timed
from dynamics.findings.rounding import sentences
from dynamics.findings.story import story

if TYPE_CHECKING:
    from dynamics.peers.verify import Deviation
    from dynamics.runs.run import Run
    from dynamics.theory.forecast import Forecast


def summary(trajectories: list[Trajectory]) -> str:
    """A table of each network's steps and seconds to each decade of the error, and their ratios.

    If the full matrix is unknown, no recovery error exists, and the best held-out losses are shown
    instead; where classes are told apart, the accuracies.
    """
    if not any(len(trajectory.steps) for trajectory in trajectories):
        return "There are no records yet."
    trajectories = timed(trajectories)
    if not trajectories:
        return "Exact reductions take no part in comparisons of time."
    if not all("recovery_error" in trajectory.series for trajectory in trajectories):
        return "\n".join(_best(trajectory) for trajectory in trajectories)
    names = [trajectory.network for trajectory in trajectories]
    head = ["recovery error", *(f"{name} {unit}" for name in names for unit in ("steps", "s"))]
    ratio = {"original", "compressed"} <= set(names)
    if ratio:
        head += ["ratio steps", "ratio operations"]
    lines = [head]
    for row in milestones(trajectories):
        cells = [f"{row['level']:.0e}"]
        for name in names:
            cells += [_cell(row[f"{name}.steps"], ",.0f"), _cell(row[f"{name}.seconds"], ".3g")]
        if ratio:
            for unit in ("steps", "operations"):
                compressed = row[f"compressed.{unit}"]
                original = row[f"original.{unit}"]
                times = original / compressed if compressed and original else None
                cells.append(_cell(times, ".3g"))
        lines.append(cells)
    if len(lines) == 1:
        return "No network has brought its recovery error down to 1e-1."
    return aligned(lines)


def happened(run: "Run") -> str:
    """What happened where classes are told apart or films are rated, a line for each sentence.

    It is empty elsewhere.
    """
    stated = traits.problem(run.config.problem)
    if not (stated.classifies or stated.rated):
        return ""
    failed = [Failure.read(signature) for signature in run.status.signatures]
    return "\n".join(story(run.config, run.trajectories, [each for each in failed if each]))


def result(run: "Run") -> str:
    """How a run stands, as JSON: each network's counters at the end, and its numbers.

    ``last`` has each number at the last record, ``least`` its least finite value and the step of
    that. Where a validation part tells when to stop, ``stop`` has all numbers of that record. What
    is not finite is null.
    """
    status = run.status
    networks = {each.network: _numbers(each) for each in run.trajectories if len(each.steps)}
    content = {"run": run.key, "phase": status.phase, "sentence": status.sentence}
    return json.dumps(content | {"networks": networks}, indent=1, ensure_ascii=False)


def _numbers(trajectory: Trajectory) -> dict[str, Any]:
    single = {name: values for name, values in trajectory.series.items() if values.ndim == 1}
    lowest = {name: trajectory.lowest(name) for name in single}
    numbers: dict[str, Any] = {
        "step": int(trajectory.steps[-1]),
        "seconds": float(trajectory.seconds[-1]),
        "operations": float(trajectory.operations[-1]),
        "last": {name: _finite(values[-1]) for name, values in single.items()},
        "least": {
            name: {"step": int(trajectory.steps[place]), "value": float(single[name][place])}
            for name, place in lowest.items()
            if place is not None
        },
    }
    stop = validation.least(trajectory)
    stop = validation.best(trajectory) if stop is None else stop
    if stop is not None:
        at_stop = {name: _finite(values[stop]) for name, values in single.items()}
        numbers["stop"] = {"step": int(trajectory.steps[stop])} | at_stop
    return numbers


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def rounding(run: "Run") -> str:
    """Until which step a run's numbers are reproducible, a line for each sentence."""
    status = run.status
    if status.live:
        return "Where rounding decides is checked once the run has ended."
    return "\n".join(sentences([*run.layout.shapes], status.rounding, run.config.problem))


def aligned(lines: list[list[str]]) -> str:
    """Lines of cells as text, every column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def _cell(value: float | None, form: str) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 1000 else format(value, form)


def _best(trajectory: Trajectory) -> str:
    if "accuracy" in trajectory.series and len(trajectory.steps):
        accuracy = tail_mean(trajectory.series["accuracy"])
        if accuracy is None:
            return f"{trajectory.network}: no accuracy, as its numbers are not finite"
        records = count(min(TAIL, len(trajectory.steps)), "record")
        return (
            f"{trajectory.network}: accuracy {accuracy:.4f} on held-out images, mean of the last "
            f"{records}, after {count(trajectory.steps[-1], 'step')}, {trajectory.seconds[-1]:.3g} "
            f"s and {trajectory.operations[-1]:.3g} operations of training"
        )
    losses = trajectory.series["test_loss"]
    best = trajectory.lowest("test_loss")
    if best is None:
        return f"{trajectory.network}: no finite held-out loss"
    return (
        f"{trajectory.network}: best held-out loss {losses[best]:.4g} (root mean square error "
        f"{(2 * losses[best]) ** 0.5:.4g}) at step {trajectory.steps[best]:,.0f}"
    )


def table(forecast: "Forecast") -> list[str]:
    """A forecast in lines: each prediction and its standing, violated assumptions, warnings."""
    lines: list[str] = []
    broken: dict[str, None] = {}
    for name, network in forecast.networks.items():
        lines.append(name)
        for kind, prediction in network.predictions.items():
            lines.append(f"  {kind:11} {_number(prediction.value):44} {prediction.standing}")
            broken |= dict.fromkeys(prediction.breaks)
        ratio = forecast.ratio(name)
        if ratio is not None:
            lines.append(f"  {'η/η*':11} {_number(ratio):44} {forecast.zone(name)}")
    lines += [f"Assumed otherwise: {sentence}" for sentence in broken]
    return lines + [f"Warning: {warning.sentence}" for warning in forecast.warnings]


def _number(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(_number, value))
    if value is None or math.isnan(value):
        return "–"
    if value == float("inf"):
        return "never"
    return f"{value:,.0f}" if 1000 <= value < 1e15 else f"{value:.4g}"


def _beyond(result: "Deviation") -> str:
    """Where rounding decides a quantity of a trajectory file, in words; empty if it never does."""
    if result.until is None:
        return ""
    where = f"beyond step {result.until:,}" if result.until >= 0 else "from the first record on"
    return f"; {where} rounding decides: {result.beyond:.1e} there"


def print_deviations(deviations: "list[Deviation]", unreadable: list[str], as_json: bool) -> None:
    """Print the results of ``verify``, one line each or as JSON, and why files are unreadable."""
    if as_json:
        rows = [dataclasses.asdict(result) | {"within": result.within} for result in deviations]
        passed = not unreadable and all(result.within for result in deviations)
        content = {"passed": passed, "deviations": rows, "unreadable": unreadable}
        print(json.dumps(content, indent=1))
    else:
        for result in deviations:
            verdict = "ok  " if result.within else "FAIL"
            allowed = f"(at most {result.tolerance:.0e}, {count(result.records, 'record')})"
            name = f"{result.file} {result.network:10} {result.quantity:26}"
            print(f"{verdict} {name} {result.worst:.1e} {allowed}{_beyond(result)}")
    for sentence in unreadable:
        print(f"dynamics: {sentence}", file=sys.stderr)
