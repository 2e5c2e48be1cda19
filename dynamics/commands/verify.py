"""The command ``verify``: compare this program with trajectory files of other programs."""

import argparse
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dynamics.commands import UNREADABLE, WRONG, printed
from dynamics.core.machine import memory


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("verify", help="compare this program with trajectory files")
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help=".npz trajectory file")
    parser.add_argument(
        "--tolerance",
        type=_tolerance,
        default=1e-8,
        help="largest relative deviation allowed for losses, errors and singular values; angles "
        "(in radians) and runs of Adam and RMSprop may deviate 100 times more (default: 1e-8)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the worst deviations; returns 1 if one is too large, 2 if a file cannot be read."""
    # Imported late: the other commands answer without torch.
    memory.check()
    from dynamics.peers.verify import UnreadableError, verify

    deviations: list[Any] = []
    unreadable = []
    for file in options.files:
        with Bar(file.name) as bar:
            try:
                deviations += verify(file, options.tolerance, bar.show)
            except UnreadableError as error:
                unreadable.append(str(error))
    printed.print_deviations(deviations, unreadable, options.json)
    if unreadable:
        return UNREADABLE
    return 0 if all(deviation.within for deviation in deviations) else WRONG


class Bar:
    """A progress bar for one file, shown until its ``with`` block ends."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._bar = tqdm(unit="record", file=sys.stderr, leave=False)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, network: str, number: int, total: int) -> None:
        """Show that a network is at record ``number`` of ``total``."""
        self._bar.set_description_str(f"{self._name} {network}", refresh=False)
        self._bar.total = total
        self._bar.n = number
        self._bar.update(0)


def _tolerance(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"a tolerance is a number from 0 on; {text} was given")
    return value
