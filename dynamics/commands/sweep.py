"""The command ``sweep``: train the runs over one to three settings, and map one outcome."""

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from dynamics.commands import ENDED, WRONG, flags, printed
from dynamics.core.config import SETTINGS, ConfigError
from dynamics.core.machine import files
from dynamics.core.sweep import (
    COSTS,
    DERIVED,
    ENDINGS,
    MOST_RUNS,
    NO_AXIS,
    OUTCOMES,
    Axis,
    Sweep,
    shown,
)
from dynamics.core.words import duration, plain
from dynamics.export import formats
from dynamics.findings.sweeps import Results
from dynamics.runs import capability, control
from dynamics.runs.control import StrangerError
from dynamics.runs.room import check_room, estimate
from dynamics.runs.sweep import Progress, SweepFolder, Training
from dynamics.runs.sweeper import executor

BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} runs{postfix}"
WIDEST = 12  # most columns of a printed table


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "sweep",
        help="map an outcome over one to three settings: lists and ranges in place of values",
        description="A setting with several values is an axis: 1,2,5, or 0.5:10:0.25, or "
        "1e-6:1:2/decade. The first axis is drawn along, the second up, the third as small charts.",
    )
    flags.add_settings(parser)
    for name, about in DERIVED.items():
        parser.add_argument(
            flags.flag(name), dest=name, action=flags.Typed, metavar="X", help=about.describe()
        )
    flags.add_folder(parser)
    parser.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="runs a cell, each with other draws"
    )
    meanings = "; ".join(f"{name}: {about.meaning}" for name, about in OUTCOMES.items())
    meanings = meanings.replace("%", "%%")  # argparse would read what follows as a format
    parser.add_argument("--outcome", metavar="NAME", help=f"what is mapped. {meanings}")
    parser.add_argument(
        "--level", type=float, metavar="X", help="the error or accuracy that the outcome refers to"
    )
    parser.add_argument("--of", metavar="NETWORK", help="the network of the outcome")
    parser.add_argument("--mode", type=int, default=1, metavar="I", help="the mode of the outcome")
    parser.add_argument(
        "--most-runs",
        type=int,
        default=MOST_RUNS,
        metavar="N",
        help=f"runs that a sweep may have (default: {MOST_RUNS})",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="train on the Dask cluster with this scheduler"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what the sweep takes, and train nothing"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    endings = ", ".join(formats.FORMATS[name].ending for name in formats.STILL)
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        help=f"write all runs: csv, json, parquet; or the chart: {endings}",
    )
    flags.add_print(parser, "text")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Train what is missing, and print a table of the cells.

    Returns 1 if a run could not be trained, 130 if someone else cancelled the sweep.

    Raises:
        KeyboardInterrupt: after Ctrl-C, with a sentence.
        RunError: if the sweep cannot go on.
        ValueError: if it cannot be made, or is too large.
    """
    sweep = _sweep(options)
    size = flags.print_of(options)
    form = _form(options.out) if options.out else ""
    sweep.check_limit(options.most_runs)
    runs = flags.folder(options)
    where = executor(options.scheduler or "") if not options.dry_run else None
    expected = estimate(sweep, runs, where.places if where else 0)
    print(f"Sweep {sweep.key}: {expected.sentence}", file=sys.stderr)
    for why in dict.fromkeys(cell.why for cell in sweep.missing[:3]):
        print(f"Not there: {why}", file=sys.stderr)
    if where is None:
        return 0
    check_room(expected, runs)
    training = Training(sweep, runs, where, by=capability.of_command(runs))
    now = _followed(training, sweep, SweepFolder(runs, sweep.key))
    _print(now, options.json)
    if form:
        _write(now, form, size, options.out)
    if now.phase == "cancelled":
        return ENDED
    return WRONG if now.failed else 0


def _form(file: Path) -> str:
    """The format of a file by its ending.

    Raises:
        ValueError: if no sweep has it.
    """
    from dynamics.export import sweeps  # not at the top: it takes a tenth of a second

    return formats.format_of(file, (*sweeps.NUMBERS, *formats.STILL))


def _sweep(options: argparse.Namespace) -> Sweep:
    """The sweep of the flags.

    Raises:
        ValueError: with a sentence for each flag whose value cannot be used.
    """
    given = flags.settings(options)
    axes = []
    try:
        for name in dict.fromkeys([*getattr(options, "typed", ()), *given]):
            text = str(given.get(name) or getattr(options, name))
            if name in DERIVED or (name not in NO_AXIS and _several(text)):
                axes.append(Axis.read(name, text))
                given.pop(name, None)
        fields = {"outcome": options.outcome, "level": options.level, "network": options.of}
        return Sweep.of(given, axes, seeds=options.seeds, mode=options.mode, **fields)
    except ConfigError as error:
        named = {**SETTINGS, **DERIVED}
        sentences = [
            f"{flags.flag(name)}: {sentence}" if name in named else sentence
            for name, sentence in error.problems.items()
        ]
        raise ValueError(" ".join(sentences)) from None


def _several(text: str) -> bool:
    return "," in text or ":" in text


def _followed(training: Training, sweep: Sweep, folder: SweepFolder) -> Progress:
    """Train with a progress bar on standard error; returns where the sweep stands in the end.

    Raises:
        KeyboardInterrupt: with one sentence, after Ctrl-C.
    """
    now = Progress(sweep)
    try:
        with (
            _heard(training),
            tqdm(total=now.total, file=sys.stderr, bar_format=BAR, delay=1e-3) as bar,
        ):
            for now in _closed(training):
                left = "" if now.left is None else f", about {duration(now.left)} left"
                failed = f", {len(now.failed)} failed" if now.failed else ""
                bar.set_postfix_str(f"{left}{failed}".removeprefix(", "), refresh=False)
                bar.update(now.ended - bar.n)
        if training.cancelled and now.phase == "cancelled":
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        with contextlib.suppress(StrangerError):  # it is trained by somebody else's process
            control.steer(folder, "cancel", capability.of_command(folder.runs))
        raise KeyboardInterrupt(
            f"The sweep was cancelled with {now.ended:,} of {now.total:,} runs finished; the same "
            "command continues from there."
        ) from None
    return now


@contextlib.contextmanager
def _heard(training: Training) -> Iterator[None]:
    """Let Ctrl-C cancel the training at a moment that suits it; a second one ends at once.

    An exception at any moment could be lost in what no caller sees, such as a pool's callback.
    """

    def cancel(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        training.cancel()

    before = signal.signal(signal.SIGINT, cancel)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _closed(training: Training) -> Iterator[Progress]:
    """What the training yields; it is closed also if its reader is interrupted."""
    steps = iter(training)
    try:
        yield from steps
    finally:
        steps.close()  # type: ignore[attr-defined]


def _print(now: Progress, as_json: bool) -> None:
    if as_json:
        from dynamics.export import sweeps

        print(sweeps.as_json(now.results, now.failed))
        return
    print(now.results.sweep.caption)
    for head, lines in _tables(now.results):
        print("\n".join([*filter(None, [head]), printed.aligned(lines)]))
    for why in dict.fromkeys(now.failed.values()):
        print(f"Could not be trained: {why}")


def _tables(results: Results) -> list[tuple[str, list[list[str]]]]:
    """The medians: a row for each value of the first axis, a column for each of the second.

    One table for each value of a third axis. Of many columns, some evenly spread ones.
    """
    axes = results.sweep.axes
    whole = [*results.sweep.shape, *[1] * (3 - len(axes))]
    middle = results.middle.reshape(whole)
    ended = np.asarray(results.ended.any(-1)).reshape(whole)
    second = axes[1].values if len(axes) > 1 else ("",)
    third = axes[2].values if len(axes) > 2 else ("",)
    columns = sorted(
        {*np.linspace(0, len(second) - 1, min(WIDEST, len(second))).round().astype(int)}
    )
    tables = []
    for place, value in enumerate(third):
        corner = axes[0].name + (f" \\ {axes[1].name}" if len(axes) > 1 else "")
        lines = [[corner, *(shown(second[c]) for c in columns)]]
        for row, first in enumerate(axes[0].values):
            cells = [
                _cell(results, float(middle[row, c, place])) if ended[row, c, place] else "–"
                for c in columns
            ]
            lines.append([shown(first), *cells])
        tables.append((f"{axes[2].name} = {shown(value)}" if len(axes) > 2 else "", lines))
    return tables


def _cell(results: Results, value: float) -> str:
    if results.sweep.outcome == "ended" and np.isfinite(value):
        return ENDINGS[int(value)]
    missing = "not reached" if results.sweep.outcome in COSTS else "–"
    return plain(value, missing)


def _write(now: Progress, form: str, size: Any, file: Path) -> None:
    from dynamics.export import sweeps

    if form in sweeps.NUMBERS:
        files.replace(file, sweeps.content(now.results, now.failed, form))
    else:
        sweeps.picture(now.results, form, size, file)
    print(f"{file}: {file.stat().st_size:,} bytes", file=sys.stderr)
