"""The command ``runs``: list, show, steer and delete saved runs, and say whose they are."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dynamics.commands import flags, printed
from dynamics.core.config import Config
from dynamics.core.machine import files
from dynamics.findings.story import story
from dynamics.runs import capability, control
from dynamics.runs.capability import Capability
from dynamics.runs.run import Run, RunError, find, listing

ALL = "all"  # in place of keys: everything that was signed is revoked


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("runs", help="list, show, steer and delete saved runs")
    parser.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=["list", *ACTIONS, "owner"],
        help="what to do; revoke: whoever started the run in a browser or with a command can steer "
        "none of their runs any more; owner: print what makes a browser the owner's",
    )
    parser.add_argument(
        "keys", nargs="*", metavar="KEY", help="the runs; list and owner need none; revoke: or all"
    )
    flags.add_folder(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """List all runs, or do one of ``ACTIONS`` with each run that is named.

    Raises:
        RunError: if a run does not exist, cannot be deleted or is somebody else's.
        ValueError: if no run is named.
    """
    folder = flags.folder(options)
    if options.action == "list":
        for saved, config, status in listing(folder):
            about = _about(config) if config else status.sentence
            print(f"{saved.key}  {status.phase:10} {status.step:>9,}  {about}")
        return 0
    by = capability.of_command(folder)
    if options.action == "owner":
        return _print_owner(folder, by)
    if options.action == "revoke" and options.keys == [ALL]:
        return _revoke_all(folder, by)
    if not options.keys:
        raise ValueError(f"runs {options.action} needs the key of a run; runs list shows them.")
    for key in options.keys:
        ACTIONS[options.action](find(key, folder), by)
    return 0


def _print_owner(folder: Path, by: Capability) -> int:
    """Print the owner's token as the end of an address."""
    control.check_owner(folder, by)
    print(f"?owner={quote(capability.owners(folder))}")
    return 0


def _revoke_all(folder: Path, by: Capability) -> int:
    control.check_owner(folder, by)
    try:
        capability.revoke_all(folder)
    except OSError as error:
        raise RunError(files.refusal(error, folder)) from None
    return 0


def _about(config: Config) -> str:
    """What the run learns and how, in a few words."""
    if config.watched:
        return f"{config.problem}, {config.title}"
    return f"{config.problem}, L={config.depth}, r̂={config.rank_bound}"


def _show(run: Run, _by: Capability) -> None:
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


ACTIONS: dict[str, Callable[[Run, Capability], None]] = {  # what can be done with a run
    "show": _show,
    "delete": lambda run, by: control.steer(run, "delete", by),
    "pause": lambda run, by: control.steer(run, "pause", by),
    "resume": lambda run, by: control.steer(run, "go on", by),
    "cancel": lambda run, by: control.steer(run, "cancel", by),
    "revoke": control.revoke,
}
