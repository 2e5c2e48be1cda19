"""The command ``export``: write a run's data, or a chart, to a file."""

import argparse
import contextlib
import math
import sys
from pathlib import Path
from typing import IO, Any

from dynamics.commands import flags
from dynamics.core import registry
from dynamics.core.machine import files
from dynamics.draw import panel
from dynamics.draw.time_axis import VERSUS
from dynamics.export import completed, export, formats, tables
from dynamics.runs.run import Run, find


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("export", help="write a run's data or a chart to a file")
    parser.add_argument(
        "keys", metavar="KEY", nargs="+", help="key of a run; several runs share one chart"
    )
    parser.add_argument("--format", choices=formats.RUNS, help="default: FILE's ending, else csv")
    parser.add_argument(
        "--figure",
        metavar="NAME",
        default="",
        help=f"chart to draw: one of {', '.join(registry.options('charts'))}, with /NETWORK for "
        "one network alone; for several runs a series such as recovery_error",
    )
    parser.add_argument(
        "--over", default="steps", choices=list(VERSUS), help="horizontal axis of the chart"
    )
    parser.add_argument(
        "--at",
        type=_step,
        default=math.inf,
        metavar="STEP",
        help="moment of the heat maps (default: the last); as csv, their cells are written",
    )
    flags.add_print(parser, "column")
    parser.add_argument("--out", metavar="FILE", type=Path, help="default: KEY.FORMAT; - prints it")
    flags.add_folder(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Write one file, or print it.

    Raises:
        RunError: if a run does not exist.
        ValueError: if the format cannot hold what is asked for.
    """
    form, ending = _form(options)
    keys = list(dict.fromkeys(options.keys))
    runs = [find(key, flags.folder(options)) for key in keys]
    file = options.out or Path(f"{'-'.join(keys)}.{ending}")
    printed = str(file) == "-"
    if not printed:
        formats.check_writable(file)
    if printed:
        _write(runs, form, file.stem, options, sys.stdout.buffer)
        return 0
    with files.replacing(file) as written:
        _write(runs, form, file.stem, options, written)
        size = written.tell()
    print(f"{file}: {size:,} bytes")
    return 0


def _write(
    runs: list[Run], form: str, name: str, options: argparse.Namespace, file: IO[bytes]
) -> None:
    """Write the file called ``name``: a table, a bundle of tables, or a chart."""
    several = len(runs) > 1
    if form == "csv" and options.figure == panel.MAPS and not several:
        file.write(tables.cells(runs[0], options.at))
        return
    if form == "csv" and several and not options.figure:
        tables.write_csv(runs, file)
        return
    if form == "zip" and several and not options.figure:
        tables.write_bundle(runs, name, file)
        return
    if form in formats.DATA and not options.figure and not several:
        export.write(runs[0], form, file)
        return
    if form in formats.COMPLETED and not options.figure and not several:
        file.write(completed.content(runs[0], form))
        return
    if form not in formats.CHARTS:
        raise ValueError(
            f"{form} holds the numbers of one run; it has no charts or comparisons. csv and "
            "zip hold several."
        )
    from dynamics.export import chart, picture  # imported late: only a chart needs a browser

    size = flags.print_of(options)
    shown = chart.of_runs(runs, options.figure, options.over, {"at": options.at})
    file.write(picture.picture(shown, form, size))


def _form(options: argparse.Namespace) -> tuple[str, str]:
    """The format and the ending of its files; CSV if neither a flag nor a file names one."""
    if options.format:
        form = options.format
    elif options.out and options.out.suffix:
        form = formats.format_of(options.out, formats.RUNS)
    else:
        form = "csv"
    return form, formats.FORMATS[form].ending


def _step(text: str) -> float:
    with contextlib.suppress(ValueError):
        if (step := float(text)) >= 0:
            return step
    raise argparse.ArgumentTypeError(f"a step is a number from 0 on; {text} was given")
