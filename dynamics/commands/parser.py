"""Parser: all commands and their flags."""

import argparse
from typing import NoReturn

from dynamics.commands import (
    UNREADABLE,
    attribution,
    bench,
    export,
    figure,
    forecast,
    run,
    runs,
    sweep,
    verify,
)

COMMANDS = (run, sweep, forecast, attribution, verify, figure, export, runs, bench)


class Parser(argparse.ArgumentParser):
    """A parser whose error messages are one sentence."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with status 2."""
        self.exit(UNREADABLE, f"dynamics: {message}; {self.prog} --help shows what there is.\n")


def parser() -> Parser:
    """The parser of the command line; ``options.command`` is the ``run`` of the chosen command."""
    top = Parser(
        prog="python -m dynamics",
        description="Watch deep linear networks learn, original and compressed side by side.",
    )
    commands = top.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        command.add(commands)
    return top
