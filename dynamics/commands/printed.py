"""Terminal: what commands print: the course of a run, tables, verdicts."""

import dataclasses
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.findings.outcomes import milestones, timed
from dynamics.runs.run import CANCEL, Run, Status
from dynamics.runs.start import began
from dynamics.theory import stability

if TYPE_CHECKING:
    from dynamics.theory.forecast import Forecast


def follow(run: Run, config: Config) -> Status:
    """A progress bar, and failures as they show, until the run has ended.

    Raises:
        KeyboardInterrupt: with one sentence, after Ctrl-C, which cancels a run that this process
            began; another's goes on.
    """
    try:
        return _watch(run, config)
    except KeyboardInterrupt:
        if not began(run):
            words = f"Run {run.key} goes on, as another command started it."
            raise KeyboardInterrupt(words) from None
        run.ask(CANCEL)
        while run.status.live:
            time.sleep(0.1)
        words = f"Run {run.key} was cancelled; what was made is kept, the same command goes on."
        raise KeyboardInterrupt(words if run.status.phase == "cancelled" else "") from None


def _watch(run: Run, config: Config) -> Status:
    named = 0
    with tqdm(total=config.steps, unit="step", unit_scale=True, file=sys.stderr) as bar:
        while (status := run.status).live:
            named = _name_failures(status, named)
            position = run.position
            waiting = f"waiting, {position} before it" if position else status.phase
            bar.set_description_str(status.message or waiting, refresh=False)
            bar.update(status.step - bar.n)
            time.sleep(0.1)
        bar.update(status.step - bar.n)
    _name_failures(status, named)
    return status


def _name_failures(status: Status, named: int) -> int:
    """Print the signatures of failure that are new; gives how many there are."""
    for each in status.signatures[named:]:
        tqdm.write(f"step {each['step']:,}: {each['sentence']}")
    return len(status.signatures)


def summary(trajectories: list[Trajectory]) -> str:
    """A table: steps and seconds to each decade of the error for each network, and the ratio.

    Where the full matrix is unknown there is no recovery error: the best held-out loss instead.
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
    lines = [head + ["ratio steps", "ratio s"] * ratio]
    for row in milestones(trajectories):
        cells = [f"{row['level']:.0e}"]
        for name in names:
            cells += [_cell(row[f"{name}.steps"], ",.0f"), _cell(row[f"{name}.seconds"], ".3g")]
        if ratio:
            for unit in ("steps", "seconds"):
                ours, theirs = row[f"compressed.{unit}"], row[f"original.{unit}"]
                cells.append(_cell(theirs / ours if ours and theirs else None, ".3g"))
        lines.append(cells)
    if len(lines) == 1:
        return "No network has brought its recovery error down to 1e-1."
    return aligned(lines)


def aligned(lines: list[list[str]]) -> str:
    """Cells in columns, each as wide as its widest."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def _cell(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _best(trajectory: Trajectory) -> str:
    losses = trajectory.series["test_loss"]
    if not np.isfinite(losses).any():
        return f"{trajectory.network}: no finite held-out loss"
    at = int(np.nanargmin(losses))
    return (
        f"{trajectory.network}: best held-out loss {losses[at]:.4g} (root mean square error "
        f"{(2 * losses[at]) ** 0.5:.4g}) at step {trajectory.steps[at]:,.0f}"
    )


def table(made: "Forecast") -> list[str]:
    """A forecast in lines: each prediction with its standing, what it assumes, and warnings."""
    lines: list[str] = []
    broken: dict[str, None] = {}
    for name, network in made.networks.items():
        lines.append(name)
        for field in dataclasses.fields(network):
            found = getattr(network, field.name)
            lines.append(f"  {field.name:11} {_number(found.value):44} {found.standing}")
            broken |= dict.fromkeys(found.breaks)
        ratio = made.ratio(name)
        if ratio is not None:
            lines.append(f"  {'η/η*':11} {_number(ratio):44} {stability.zone(ratio)}")
    lines += [f"Assumed otherwise: {sentence}" for sentence in broken]
    return lines + [f"Warning: {warning.sentence}" for warning in made.warnings]


def _number(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(_number(each) for each in value)
    if value is None or value == float("inf"):
        return "–" if value is None else "never"
    return f"{value:,.0f}" if 1000 <= value < 1e15 else f"{value:.4g}"


def print_deviations(found: list[Any], unreadable: list[str], as_json: bool) -> None:
    """What ``verify`` found, one line each or as JSON; sentences on files that cannot be read."""
    if as_json:
        rows = [dataclasses.asdict(each) | {"within": each.within} for each in found]
        passed = not unreadable and all(each.within for each in found)
        print(
            json.dumps({"passed": passed, "deviations": rows, "unreadable": unreadable}, indent=1)
        )
    for each in () if as_json else found:
        verdict = "ok  " if each.within else "FAIL"
        allowed = f"(at most {each.tolerance:.0e}, {each.records} records)"
        print(
            f"{verdict} {each.file} {each.network:10} {each.quantity:26} {each.worst:.1e} {allowed}"
        )
    for sentence in unreadable:
        print(f"dynamics: {sentence}", file=sys.stderr)
