"""The command ``runs``: list, show, steer and delete saved runs."""

import argparse
from collections.abc import Callable
from typing import Any

from dynamics.commands import flags, printed
from dynamics.core.config import Config
from dynamics.findings.story import story
from dynamics.runs.run import CANCEL, PAUSE, RUN, Run, find, listing


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("runs", help="list, show, steer and delete saved runs")
    parser.add_argument(
        "action", nargs="?", default="list", choices=["list", *ACTIONS], help="what to do"
    )
    parser.add_argument("keys", nargs="*", metavar="KEY", help="the runs; list needs none")
    flags.add_folder(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """List all runs, or do one of ``ACTIONS`` with each run that is named.

    Raises:
        RunError: if a run does not exist or cannot be deleted.
        ValueError: if no run is named.
    """
    folder = flags.folder(options)
    if options.action == "list":
        for saved, config, status in listing(folder):
            about = _about(config) if config else status.sentence
            print(f"{saved.key}  {status.phase:10} {status.step:>9,}  {about}")
        return 0
    if not options.keys:
        raise ValueError(f"runs {options.action} needs the key of a run; runs list shows them.")
    for key in options.keys:
        ACTIONS[options.action](find(key, folder))
    return 0


def _about(config: Config) -> str:
    """What the run learns and how, in a few words."""
    if config.watched:
        return f"{config.problem}, {config.title}"
    return f"{config.problem}, L={config.depth}, r̂={config.rank_bound}"


def _show(run: Run) -> None:
    """Print the status, the settings and the results of a run."""
    status = run.status
    print(f"{run.key} {status.phase}, step {status.step:,}: {status.sentence}")
    for name, value in run.config.to_dict().items():
        print(f"  {flags.flag(name):20} {value}")
    if run.watched:
        sentences = story(run.config, run.trajectories)
        print("\n".join(sentences) or printed.summary(run.trajectories))
        return
    print(printed.summary(run.trajectories))
    print(printed.rounding(run))


ACTIONS: dict[str, Callable[[Run], None]] = {  # what can be done with a run
    "show": _show,
    "delete": Run.delete,
    "pause": lambda run: run.ask(PAUSE),
    "resume": lambda run: run.ask(RUN),
    "cancel": lambda run: run.ask(CANCEL),
}
