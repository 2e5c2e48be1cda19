"""The command ``forecast``: what a run will do, before it starts."""

import argparse
import json
from pathlib import Path
from typing import Any

from dynamics.commands import flags, printed
from dynamics.core.config import Config
from dynamics.core.machine import memory


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("forecast", help="say what a run will do before it starts")
    flags.add_settings(parser)
    parser.add_argument(
        "--reference",
        metavar="FILE",
        type=Path,
        help="take the compressed network's settings and its target from a trajectory file; a flag "
        "overrides the file's setting",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the forecast for the settings of the flags or of a trajectory file.

    Raises:
        ValueError: if the problem has no forecast, or its data are missing.
    """
    memory.check()
    from dynamics.peers import trajectory_file  # imported late: these load SciPy or torch
    from dynamics.theory.forecast import forecast
    from dynamics.theory.prediction import Facts

    if options.reference:
        config, facts = trajectory_file.read(options.reference, flags.given(options))
    else:
        config = flags.config(options)
        facts = _facts(config)
    result = forecast(config, Facts.of(facts), simulate=True)
    if options.json:
        print(json.dumps(result.to_dict(), indent=1, ensure_ascii=False))
    else:
        print("\n".join(printed.table(result)))
    return 0


def _facts(config: Config) -> dict[str, Any]:
    """What theory needs to know about the problem, drawn as training would draw it.

    Raises:
        ValueError: if the data are missing.
        MemoryError: if the matrices do not fit into memory.
    """
    from dynamics.data.folder import DataError
    from dynamics.engine.training.facts import look

    try:
        return look(config)
    except DataError as error:
        raise ValueError(str(error)) from None
