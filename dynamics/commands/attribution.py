"""The command ``attribution``: which change makes the compressed network faster."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dynamics.commands import flags, printed, progress
from dynamics.core.config import Config
from dynamics.core.machine import files
from dynamics.export import formats
from dynamics.export.layout.sizes import Print
from dynamics.findings import attribution, causes
from dynamics.findings.attribution import Attribution
from dynamics.findings.causes import Split
from dynamics.runs import capability
from dynamics.runs.group import Group

LEVEL = "1e-3"


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "attribution",
        help="train every network between the original and the compressed one, and compare them",
    )
    flags.add_settings(parser)
    flags.add_folder(parser)
    parser.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="number of draws, one run each"
    )
    parser.add_argument(
        "--level",
        default="",
        metavar="X",
        help="recovery error at which costs are taken, or stop for --tolerance (default: 1e-3); "
        "an accuracy where classes are told apart (default: one that all reach)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    endings = ", ".join(formats.FORMATS[name].ending for name in formats.STILL)
    parser.add_argument("--out", metavar="FILE", type=Path, help=f"write the chart: {endings}")
    flags.add_print(parser, "text")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Train a run for each seed, and print what each change saves.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
        RunError: if a run failed, was cancelled or lost its worker.
        ValueError: if the level is none of the problem, or the number of seeds is wrong.
    """
    config = flags.config(options)
    folder = flags.folder(options)
    classes = bool(config.contents)
    level = options.level or ("" if classes else LEVEL)
    # A wrong level is refused before anything is trained.
    causes.goal(level) if classes else attribution.goal(level)
    size = flags.print_of(options)
    form = formats.format_of(options.out, formats.STILL) if options.out else ""
    configs = (causes.ladder if classes else attribution.ladder)(config, options.seeds)
    group = Group(configs, folder, capability.of_command(folder))
    progress.follow(group, "The attribution")
    trajectories = [run.trajectories for run in group.runs]
    result = (causes.split if classes else attribution.attribute)(config, trajectories, level)
    _print(result, options.json)
    if form and not result.whole.any():
        print(f"{options.out} is not written: no seed has a whole comparison.", file=sys.stderr)
        return 1
    if form:
        _write_chart(result, configs, form, size, options.out)
    return 0


def _print(result: Attribution | Split, as_json: bool) -> None:
    if isinstance(result, Split):
        rows, said, numbers = causes.table(result), causes.sentences(result), causes.to_dict(result)
    else:
        rows, said = attribution.table(result), attribution.sentences(result)
        numbers = attribution.to_dict(result)
    if as_json:
        print(json.dumps(numbers, indent=1, ensure_ascii=False))
    else:
        print(printed.aligned(rows))
        print("\n".join(said))


def _write_chart(
    result: Attribution | Split, configs: Sequence[Config], form: str, size: Print, file: Path
) -> None:
    from dynamics.draw import waterfall  # imported late: these load Plotly
    from dynamics.export import caption, picture
    from dynamics.export.chart import Chart

    chart = Chart.of(waterfall.draw(result), caption.of_attribution(result, configs))
    files.replace(file, picture.picture(chart, form, size))
    print(f"{file}: {file.stat().st_size:,} bytes", file=sys.stderr)
