"""The command ``figure``: run what a paper figure needs, show the progress, print the verdict."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from dynamics.commands import WRONG, flags, progress
from dynamics.core.machine import files
from dynamics.core.seeds import shown
from dynamics.export import formats
from dynamics.paper import baselines, report
from dynamics.paper.check import DIFFERS, said
from dynamics.paper.content import FORMATS, write
from dynamics.paper.judge import Judged, judge
from dynamics.paper.plan import Draw, Plan, about, names
from dynamics.runs import capability
from dynamics.runs.group import Group
from dynamics.runs.run import Run, RunError


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("figure", help="draw a figure of the paper, with a verdict")
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="the figure, or all; without NAME, the figures are listed",
    )
    parser.add_argument("--target", default="top", help="spectrum of the target: top or spread")
    parser.add_argument("--seed", type=int, help="other draws than the authors'")
    parser.add_argument("--seeds", type=int, default=1, help="draw medians over N")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        help="write the figure: pdf, svg, png, tex, gif, mp4, html; its verdict: json; all its "
        "numbers: zip; of all figures: a folder",
    )
    flags.add_print(parser, "text")
    flags.add_folder(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Reproduce one figure or all of them, or list them; returns 1 if a number differs.

    Raises:
        KeyboardInterrupt: with one sentence, after Ctrl-C.
        RunError: if a run cannot be finished or is damaged.
        ValueError: if the figure does not exist, or cannot be drawn or written as asked.
    """
    if options.name is None:
        return _list(options)
    draw = Draw(options.target, options.seed, options.seeds)
    if options.name == "all":
        return _all(draw, options)
    return _one(Plan.of(options.name, draw), options)


def _list(options: argparse.Namespace) -> int:
    if options.json or options.out:
        raise ValueError("--json and --out need the NAME of a figure, or all; none lists them.")
    for name in names():
        print(f"{name:26} {': '.join(about(name))}")
    return 0


def _one(plan: Plan, options: argparse.Namespace) -> int:
    size = flags.print_of(options)
    form = formats.format_of(options.out, FORMATS) if options.out else ""
    judged = reproduce(plan, flags.folder(options))
    if options.json:
        print(json.dumps(judged.to_dict(), indent=1, ensure_ascii=False))
    else:
        print("\n".join(lines(judged)))
    if options.out:
        with files.replacing(options.out) as file:
            write(judged, form, file, size)
        print(f"{options.out}: {options.out.stat().st_size:,} bytes", file=sys.stderr)
    return WRONG if judged.verdict == DIFFERS else 0


def _all(draw: Draw, options: argparse.Namespace) -> int:
    """Reproduce all figures and write a report, which also lists the figures that failed."""
    out = options.out or Path("reproduction")
    out.mkdir(parents=True, exist_ok=True)
    formats.check_writable(out / "report.pdf")
    figures: list[Judged] = []
    missing: dict[str, str] = {}
    for name in names():
        try:
            judged = reproduce(Plan.of(name, draw), flags.folder(options))
        except RunError as error:
            missing[name] = str(error)
            print(error, file=sys.stderr)
        else:
            figures.append(judged)
            print(lines(judged)[-1], file=sys.stderr if options.json else sys.stdout)
    for file in report.write(figures, missing, out):
        print(f"{file}: {file.stat().st_size:,} bytes", file=sys.stderr)
    if options.json:
        print((out / "verdicts.json").read_text(encoding="utf-8"))
    return WRONG if any(judged.verdict == DIFFERS for judged in figures) else 0


def reproduce(plan: Plan, folder: Path) -> Judged:
    """Train and compute what a figure still needs; returns the figure with its verdict.

    Raises:
        RunError: if one of its runs failed, was cancelled by someone else or is damaged.
        KeyboardInterrupt: with one sentence, after Ctrl-C.
    """
    try:
        group = Group(plan.distinct, folder, capability.of_command(folder))
        progress.follow(group, f"Figure {plan.name}")
    except RunError as error:
        raise RunError(f"Figure {plan.name} is not complete: {error}") from None
    for config in plan.shared:
        baselines.compute(Run(folder / config.key))
    return judge(plan, folder)


def lines(judged: Judged) -> list[str]:
    """The verdict in lines: every number beside the authors' number, then the overall verdict."""
    rows = []
    if (seeds := judged.plan.draw.seeds) > 1:
        rows.append(f"Medians and {shown(seeds)}, N = {seeds}.")
    for check in judged.checks:
        theirs = "" if check.published is None else f" (published {said(check.published)})"
        rows.append(f"{check.verdict:20} {check.what}: {check.words}{theirs}")
    return [*rows, f"{judged.plan.name} {judged.verdict}: {judged.why}"]
