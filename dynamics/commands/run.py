"""The command ``run``: train both networks and compare them."""

import argparse
import sys
from typing import Any

from dynamics.commands import ENDED, WRONG, flags, printed, progress
from dynamics.runs import capability
from dynamics.runs.group import Group
from dynamics.runs.run import Run, RunError
from dynamics.runs.start import start
from dynamics.theory.forecast import forecast


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("run", help="train both networks and compare them")
    flags.add_settings(parser)
    flags.add_folder(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print what the forecast warns of, train, and print a table of steps and seconds, or JSON.

    Returns 1 if a network diverged.

    Raises:
        RunError: if the run failed or its worker died.
        KeyboardInterrupt: after Ctrl-C, once the table of the records so far has been printed.
    """
    config = flags.config(options)
    folder = flags.folder(options)
    for warning in forecast(config).warnings:
        print(f"Warning: {warning.sentence}", file=sys.stderr)
    by = capability.of_command(folder)
    trained = start(config, folder, by=by)
    said = sys.stderr if options.json else sys.stdout
    print(f"Run {trained.key}", file=said)
    failures = progress.Failures(said)
    try:
        progress.follow(Group([config], folder, by), f"Run {trained.key}", failures.print)
    except KeyboardInterrupt:
        print(printed.result(trained) if options.json else printed.summary(trained.trajectories))
        raise
    except RunError:
        if trained.status.phase != "cancelled":
            raise
    status = trained.status
    print(printed.result(trained) if options.json else _told(trained))
    return {"diverged": WRONG, "cancelled": ENDED}.get(status.phase, 0)


def _told(trained: Run) -> str:
    """How a run has ended, its table, and what happened."""
    status = trained.status
    parts = [
        f"{status.phase}: {status.sentence.removeprefix(f'{status.phase}; ')}",
        printed.summary(trained.trajectories),
        printed.happened(trained),
        printed.rounding(trained),
    ]
    return "\n".join(filter(None, parts))
