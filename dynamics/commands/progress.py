"""Progress: a bar in the terminal while a group of runs trains."""

import sys
from collections.abc import Callable
from typing import Any, TextIO

from tqdm import tqdm

from dynamics.runs.group import Group, Progress
from dynamics.runs.run import RunError

# The bar omits tqdm's own rate, which would count cached steps as if they were made just now. Each
# bar has a delay, because it would otherwise be drawn before the number of steps is known.
PROGRESS = "{l_bar}{bar}| {n_fmt}/{total_fmt} steps{postfix}"


def follow(
    group: Group, name: str, look: Callable[[Progress], None] = lambda progress: None
) -> None:
    """Train a group with a progress bar; ``look`` is called with every Progress.

    After Ctrl-C, or if a run cannot be finished, the runs that this process started are cancelled.

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
    """The name of a group of runs; for a single run, what its worker is doing."""
    status = progress.statuses[0]
    if progress.runs > 1 or status is None:
        return name
    if position := group.runs[0].position:
        return f"waiting, {position} before it"
    return status.message or status.phase


def _interrupted(group: Group, name: str) -> str:
    """Cancel the runs that this process started; returns a sentence on the group.

    The sentence is empty if the group is complete.
    """
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


class Failures:
    """Prints the failures of a single run as they show, and which of them are withdrawn.

    Args:
        out: where to, standard output if None.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out
        self._standing: list[dict[str, Any]] = []

    def print(self, progress: Progress) -> None:
        """Print what is new since the last call: failures, and failures that stand no more."""
        status = progress.statuses[0]
        if not status:
            return
        for failure in self._standing:
            if failure not in status.signatures:
                words = f"step {status.step:,}: no longer so: {failure['sentence']}"
                tqdm.write(words, self._out)
        for failure in status.signatures:
            if failure not in self._standing:
                tqdm.write(f"step {failure['step']:,}: {failure['sentence']}", self._out)
        self._standing = status.signatures
