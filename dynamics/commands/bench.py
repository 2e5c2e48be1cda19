"""The command ``bench``: steps per second beside plain JAX and torch."""

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "bench", help="measure steps per second beside plain JAX and torch"
    )
    parser.add_argument("--quick", action="store_true", help="the reference settings, within 40 s")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--only", metavar="TEXT", default="", help="cases with TEXT in their names")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Measure the speeds and print a table."""
    from dynamics.peers import speed  # imported late: it loads torch

    return speed.run(quick=options.quick, as_json=options.json, only=options.only)
