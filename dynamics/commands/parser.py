"""Parser: all commands and their flags."""

import argparse
import importlib
from typing import NoReturn

from dynamics.commands import UNREADABLE

COMMANDS = (
    "run",
    "sweep",
    "forecast",
    "attribution",
    "verify",
    "figure",
    "export",
    "runs",
    "bench",
)


class Parser(argparse.ArgumentParser):
    """A parser whose error messages are one sentence."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with status 2."""
        self.exit(UNREADABLE, f"dynamics: {message}; {self.prog} --help shows what there is.\n")


def parser(only: str = "") -> Parser:
    """The parser of the command line; ``options.command`` is the ``run`` of the chosen command.

    Args:
        only: the command that is given, so that no other is loaded; all are if it is none of them.
    """
    top = Parser(
        prog="python -m dynamics",
        description="Watch deep linear networks learn, original and compressed side by side.",
    )
    commands = top.add_subparsers(required=True, metavar="command")
    for name in [only] if only in COMMANDS else COMMANDS:
        importlib.import_module(f"dynamics.commands.{name}").add(commands)
    return top
