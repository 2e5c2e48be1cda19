"""Terminal: what commands print: the course of a run, tables, verdicts."""

import dataclasses
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from dynamics.core.records import Trajectory
from dynamics.findings.outcomes import milestones, timed
from dynamics.runs.group import Group, Progress
from dynamics.runs.run import RunError
from dynamics.theory import stability

if TYPE_CHECKING:
    from dynamics.theory.forecast import Forecast


# Without tqdm's own rate, which would count what was cached as made in this moment. A bar has a
# delay, as it would otherwise be drawn before the number of steps is known.
PROGRESS = "{l_bar}{bar}| {n_fmt}/{total_fmt} steps{postfix}"


def follow(
    group: Group, name: str, look: Callable[[Progress], None] = lambda progress: None
) -> None:
    """Train a group with a progress bar; ``look`` is called with every Progress.

    After Ctrl-C, and if a run cannot be finished, the runs that this process started are cancelled.

    Raises:
        RunError: with one sentence, if a run cannot be finished.
        KeyboardInterrupt: with one sentence, after Ctrl-C.
    """
    try:
        with tqdm(unit_scale=True, file=sys.stderr, bar_format=PROGRESS, delay=1e-3) as bar:
            for progress in group.watch():
                look(progress)
                _show(bar, progress, name, group)
    except RunError:
        group.cancel_own()
        raise
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_interrupted(group, name)) from None


def _show(bar: Any, progress: Progress, name: str, group: Group) -> None:
    parts = []
    if progress.runs > 1:
        parts.append(f"run {progress.ended}/{progress.runs}")
    if progress.seconds is not None:
        parts.append(f"at most {bar.format_interval(progress.seconds)} left")
    bar.total = progress.steps
    bar.set_description_str(_description(progress, name, group), refresh=False)
    bar.set_postfix_str(", ".join(parts), refresh=False)
    bar.update(progress.step - bar.n)


def _description(progress: Progress, name: str, group: Group) -> str:
    """The name of a group; of a single run, what its worker does."""
    status = progress.statuses[0]
    if progress.runs > 1 or status is None:
        return name
    if position := group.runs[0].position:
        return f"waiting, {position} before it"
    return status.message or status.phase


def _interrupted(group: Group, name: str) -> str:
    """Cancel what this process started, and say in a sentence what has become of the group."""
    own = group.cancel_own()
    progress = group.progress()
    if progress.complete:
        return ""
    if progress.live and not own:
        return f"{name} continues: another command started it."
    others = " Runs that another command started continue." if progress.live else ""
    return (
        f"{name} was cancelled; its records are kept, and the same command continues from there."
        + others
    )


class NewFailures:
    """Prints the signatures of failure of a single run as they show."""

    def __init__(self) -> None:
        self._printed = 0

    def print(self, progress: Progress) -> None:
        """Print those that have come since the last call."""
        signatures = progress.statuses[0].signatures if progress.statuses[0] else []
        for signature in signatures[self._printed :]:
            tqdm.write(f"step {signature['step']:,}: {signature['sentence']}")
        self._printed = len(signatures)


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
    losses, at = trajectory.series["test_loss"], trajectory.lowest("test_loss")
    if at is None:
        return f"{trajectory.network}: no finite held-out loss"
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
