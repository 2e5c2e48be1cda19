"""The command ``figure``: run what a paper figure needs, show the progress, print the verdict."""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dynamics.commands import flags
from dynamics.core.config import Config
from dynamics.export import formats
from dynamics.paper import draws, report
from dynamics.paper.draws import Draw
from dynamics.paper.figure import DIFFERS, said
from dynamics.paper.judge import FORMATS, Judged, content, judge
from dynamics.runs import group, queue
from dynamics.runs.group import Progress
from dynamics.runs.run import Run, RunError
from dynamics.runs.start import began


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("figure", help="draw a figure of the paper, with a verdict")
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="which; all of them; none lists them"
    )
    parser.add_argument("--target", default="top", help="spectrum of the target: top or spread")
    parser.add_argument("--seed", type=int, help="other draws than the authors'")
    parser.add_argument("--seeds", type=int, default=1, help="draw median and quartiles over N")
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


# Without tqdm's own rate, which would count what was cached as made in this moment.
PROGRESS = "{l_bar}{bar}| {n_fmt}/{total_fmt} steps{postfix}"


def run(options: argparse.Namespace) -> int:
    """One figure, all of them, or their list; 1 where a number differs."""
    folder = flags.folder(options)
    if options.name is None:
        if options.json or options.out:
            raise ValueError("--json and --out need the NAME of a figure, or all; none lists them.")
        for name in draws.names():
            print(f"{name:26} {': '.join(draws.about(name))}")
        return 0
    draw = Draw(options.target, options.seed, options.seeds)
    if options.name == "all":
        return everything(folder, draw, options.out or Path("reproduction"), options.json)
    how = flags.print_of(options)
    form = formats.format_of(options.out, FORMATS) if options.out else ""
    judged = reproduced(options.name, folder, draw)
    if options.json:
        print(json.dumps(judged.to_dict(), indent=1, ensure_ascii=False))
    else:
        print("\n".join(lines(judged)))
    if options.out:
        options.out.write_bytes(content(judged, form, how))
        print(f"{options.out}: {options.out.stat().st_size:,} bytes", file=sys.stderr)
    return int(judged.verdict == DIFFERS)


def everything(folder: Path, draw: Draw, out: Path, as_json: bool) -> int:
    """All figures, one after the other, and a report; one that cannot be had is left out of it."""
    judged, missing = [], {}
    out.mkdir(parents=True, exist_ok=True)
    formats.check_writable(out / "report.pdf")
    for name in draws.names():
        try:
            judged.append(reproduced(name, folder, draw))
            print(lines(judged[-1])[-1], file=sys.stderr if as_json else sys.stdout)
        except RunError as error:
            missing[name] = str(error)
            print(error, file=sys.stderr)
    for file in report.write(judged, missing, out):
        print(f"{file}: {file.stat().st_size:,} bytes", file=sys.stderr)
    if as_json:
        print((out / "verdicts.json").read_text())
    return int(any(each.verdict == DIFFERS for each in judged))


def reproduced(name: str, folder: Path, draw: Draw) -> Judged:
    """A figure, after training what is not cached.

    Raises:
        ValueError: if there is no such figure.
        RunError: if one of its runs failed, was cancelled by somebody else or is damaged.
        KeyboardInterrupt: with one sentence, after Ctrl-C.
    """
    wanted = draws.distinct(name, draw)
    state = follow(wanted, folder, name)
    if not state.complete:
        raise RunError(f"Figure {name} is not complete: {state.message}")
    return judge(name, folder, draw)


def follow(wanted: Sequence[Config], folder: Path, words: str) -> Progress:
    """Train what is not cached, as many at once as there are cores; Ctrl-C ends what it began."""
    try:
        return _train(wanted, folder, words)
    except KeyboardInterrupt:
        ours = [each for each in wanted if began(Run(folder / each.key))]
        group.cancel(ours, folder)
        others = [each for each in wanted if each not in ours]
        more = " Runs that another command started go on."
        raise KeyboardInterrupt(
            f"Figure {words} was cancelled; what was made is kept, the same command goes on."
            + more * group.progress(others, folder).live
        ) from None


def _train(wanted: Sequence[Config], folder: Path, words: str) -> Progress:
    todo = [each for each in wanted if not group.progress([each], folder).complete]
    begun: list[Config] = []
    with tqdm(
        unit_scale=True, file=sys.stderr, desc=words, mininterval=0.5, bar_format=PROGRESS
    ) as bar:
        while True:
            state, mine = (group.progress(each, folder) for each in (wanted, begun))
            _show(bar, state)
            if mine.message or (not todo and not state.live):
                return dataclasses.replace(state, message=mine.message)
            if todo and len(begun) - mine.ended < queue.capacity():
                begun.append(todo.pop(0))
                group.start(begun[-1:], folder)
            else:
                time.sleep(0.1)


def _show(bar: Any, state: Progress) -> None:
    left = "" if state.seconds is None else f", at most {bar.format_interval(state.seconds)} left"
    bar.total = state.steps
    bar.set_postfix_str(f"run {state.ended}/{state.runs}{left}", refresh=False)
    bar.update(state.step - bar.n)


def lines(judged: Judged) -> list[str]:
    """The verdict in lines: every number beside the authors', then the whole in a sentence."""
    rows = [
        f"{check.verdict:20} {check.what}: {check.told}"
        + ("" if check.published is None else f" (published {said(check.published)})")
        for check in judged.checks
    ]
    if judged.draw.seeds > 1:
        rows.insert(0, f"Medians and quartiles over N = {judged.draw.seeds} seeds.")
    return [*rows, f"{judged.name} {judged.verdict}: {judged.why}"]
