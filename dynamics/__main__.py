"""The command line: ``python -m dynamics COMMAND``; ``--help`` lists the commands."""

import argparse
import contextlib
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from dynamics.commands import printed
from dynamics.core import changes, registry
from dynamics.core.config import SETTINGS, Config, ConfigError, choices, suggested
from dynamics.draw import panel
from dynamics.draw.time_axis import VERSUS
from dynamics.export import export, formats, tables
from dynamics.export.layout.sizes import SIZES, Print
from dynamics.findings import attribution
from dynamics.runs.run import CANCEL, PAUSE, RUN, Run, RunError, find, listing, root
from dynamics.runs.start import began, start

WRONG, UNREADABLE, ENDED = 1, 2, 130
INTERRUPTED = "\ndynamics: Ctrl-C has ended it."


def _leave() -> None:
    print(INTERRUPTED, file=sys.stderr, flush=True)
    os._exit(ENDED)


def _hear(lost: "sys.UnraisableHookArgs") -> None:
    """End where Ctrl-C fell into a callback, as imports have them: Python would forget it."""
    if lost.exc_type is KeyboardInterrupt:
        _leave()
    sys.__unraisablehook__(lost)


if __name__ == "__main__":
    sys.unraisablehook = _hear

try:
    import argparse
    import contextlib
    import json
    import math
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any, NoReturn

    from tqdm import tqdm

    pass
    pass
    from dynamics.core.config import SETTINGS, Config, ConfigError, choices, suggested

    pass
    from dynamics.draw.time_axis import VERSUS

    pass
    from dynamics.export.layout.sizes import SIZES, Print

    pass
    from dynamics.runs.run import CANCEL, PAUSE, RUN, Run, RunError, find, listing, root
    from dynamics.runs.start import began, start
except KeyboardInterrupt:  # while they are loaded
    _leave()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status.

    0; 1 for a negative result, 2 for bad input, 130 if Ctrl-C ended it.
    """
    try:
        options = parser().parse_args(arguments)
        status = int(options.command(options))
        sys.stdout.flush()
        return status
    except (ConfigError, RunError, ValueError) as error:
        print(f"dynamics: {error}", file=sys.stderr)
    except BrokenPipeError:  # the reader has gone, as with | head; the exit must not flush again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"dynamics: {error.filename}: {error.strerror}.", file=sys.stderr)
    except KeyboardInterrupt as error:
        print(f"\ndynamics: {error}" if str(error) else INTERRUPTED, file=sys.stderr)
        return ENDED
    return UNREADABLE


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        self.exit(UNREADABLE, f"dynamics: {message}; {self.prog} --help shows what there is.\n")


def parser() -> argparse.ArgumentParser:
    """All commands and flags; those of a run are the fields of Config."""
    top = Parser(
        prog="python -m dynamics",
        description="Watch deep linear networks learn, original and compressed side by side.",
    )
    commands = top.add_subparsers(required=True, metavar="command")
    for add in (
        _add_run, _add_forecast, _add_attribution, _add_verify, _add_figure, _add_export, _add_runs,
        _add_bench,
    ):  # fmt: skip
        add(commands)
    return top


def _add_run(commands: Any) -> None:
    run = commands.add_parser("run", help="train both networks and compare them")
    _add_settings(run)
    _add_folder(run)
    run.set_defaults(command=_run)


def _add_forecast(commands: Any) -> None:
    ahead = commands.add_parser("forecast", help="say what a run will do before it starts")
    _add_settings(ahead)
    ahead.add_argument(
        "--reference",
        metavar="FILE",
        type=Path,
        help="take the compressed network's settings and its target from a trajectory file; a flag "
        "goes before the file's setting",
    )
    ahead.add_argument("--json", action="store_true", help="print JSON")
    ahead.set_defaults(command=_forecast)


def _add_attribution(commands: Any) -> None:
    causes = commands.add_parser(
        "attribution", help="train every network between both and say what makes the lead"
    )
    _add_settings(causes)
    _add_folder(causes)
    causes.add_argument("--seeds", type=int, default=1, metavar="N", help="draws, each a run")
    causes.add_argument(
        "--level",
        default="1e-3",
        metavar="X",
        help="recovery error at which costs are taken, or stop for --tolerance (default: 1e-3)",
    )
    causes.add_argument("--json", action="store_true", help="print JSON")
    endings = ", ".join(formats.FORMATS[name].ending for name in formats.STILL)
    causes.add_argument("--out", metavar="FILE", type=Path, help=f"write the chart: {endings}")
    _add_print(causes, "text")
    causes.set_defaults(command=_attribution)


def _add_verify(commands: Any) -> None:
    verify = commands.add_parser("verify", help="hold this program against trajectory files")
    verify.add_argument("files", nargs="+", metavar="FILE", type=Path, help=".npz trajectory file")
    verify.add_argument(
        "--tolerance",
        type=_tolerance,
        default=1e-8,
        help="worst relative deviation allowed of losses, errors and singular values; angles "
        "(in radians) and runs of Adam and RMSprop may deviate 100 times more (default: 1e-8)",
    )
    verify.add_argument("--json", action="store_true", help="print JSON")
    verify.set_defaults(command=_verify)


def _add_figure(commands: Any) -> None:
    paper = commands.add_parser("figure", help="draw a figure of the paper, with a verdict")
    paper.add_argument(
        "name", nargs="?", metavar="NAME", help="which; all of them; none lists them"
    )
    paper.add_argument("--target", default="top", help="spectrum of the target: top or spread")
    paper.add_argument("--seed", type=int, help="other draws than the authors'")
    paper.add_argument("--seeds", type=int, default=1, help="draw median and quartiles over N")
    paper.add_argument("--json", action="store_true", help="print the verdict as JSON")
    paper.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        help="write the figure: pdf, svg, png, tex, gif, mp4, html; its verdict: json; all its "
        "numbers: zip; of all figures: a folder",
    )
    _add_print(paper, "text")
    _add_folder(paper)
    paper.set_defaults(command=_figure)


def _add_export(commands: Any) -> None:
    out = commands.add_parser("export", help="write a run's data or a chart to a file")
    out.add_argument("keys", metavar="KEY", nargs="+", help="the run; several share one chart")
    forms = list(formats.FORMATS)
    out.add_argument("--format", choices=forms, help="default: FILE's ending, else csv")
    out.add_argument(
        "--figure",
        metavar="NAME",
        default="",
        help=f"of a chart: one of {', '.join(registry.options('charts'))}, with /NETWORK for one "
        "network alone; of several runs a series such as recovery_error",
    )
    out.add_argument("--over", default="steps", choices=list(VERSUS), help="its horizontal axis")
    out.add_argument(
        "--at",
        type=_step,
        default=math.inf,
        metavar="STEP",
        help="of heat maps: the moment; default: the last. As csv they are their cells",
    )
    _add_print(out, "column")
    out.add_argument("--out", metavar="FILE", type=Path, help="default: KEY.FORMAT; - prints it")
    _add_folder(out)
    out.set_defaults(command=_export)


def _add_print(command: argparse.ArgumentParser, size: str) -> None:
    """How large a chart is written, and in what type and lines."""
    sizes = ", ".join(f"{name} ({each.title})" for name, each in SIZES.items())
    told = f"of a chart: one of {sizes} (default: {size})"
    command.add_argument("--size", default=size, choices=list(SIZES), help=told)
    command.add_argument("--font", type=float, default=0, metavar="PT", help="points of the type")
    command.add_argument("--line", type=float, default=0, metavar="PT", help="points of a line")
    command.add_argument("--grey", action="store_true", help="without colour")


def _add_runs(commands: Any) -> None:
    kept = commands.add_parser("runs", help="list, show, steer and delete saved runs")
    kept.add_argument("action", nargs="?", default="list", choices=list(ACTIONS), help="what to do")
    kept.add_argument("keys", nargs="*", metavar="KEY", help="the runs; list needs none")
    _add_folder(kept)
    kept.set_defaults(command=_runs)


def _add_bench(commands: Any) -> None:
    bench = commands.add_parser("bench", help="measure steps per second beside plain JAX and torch")
    bench.add_argument("--quick", action="store_true", help="the reference settings, within 40 s")
    bench.add_argument("--json", action="store_true", help="print JSON")
    bench.add_argument("--only", metavar="TEXT", default="", help="cases with TEXT in their names")
    bench.set_defaults(command=_bench)


def _step(text: str) -> float:
    with contextlib.suppress(ValueError):
        if (step := float(text)) >= 0:
            return step
    raise argparse.ArgumentTypeError(f"a step is a number from 0 on; {text} was given")


def _tolerance(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"a tolerance is a number from 0 on; {text} was given")
    return value


def _add_settings(command: argparse.ArgumentParser) -> None:
    for name in SETTINGS:
        command.add_argument(_flag(name), dest=name, metavar=_metavar(name), help=_help(name))
    command.add_argument("--data", metavar="DIR", help="where data sets are (default: $DLN_DATA)")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _metavar(name: str) -> str:
    kinds: dict[Any, str] = {int: "N", float: "X", str: "NAME"}
    return kinds.get(SETTINGS[name].type, "NAMES")


def _help(name: str) -> str:
    """Symbol, meaning, range or choices, unit and default of a field."""
    field = SETTINGS[name]
    about = field.metadata
    parts = [f"{about['symbol']}: {about['meaning']}" if about["symbol"] else about["meaning"]]
    if name == "changes":
        parts.append(f"a text such as {changes.EXAMPLE}")
    elif choices(name):
        parts.append("one of " + ", ".join(choices(name)))
    else:
        parts.append(
            f"{'above' if about['above'] else 'from'} {about['low']:g} to {about['high']:g}"
        )
    if about["unit"]:
        parts.append(f"in {about['unit']}")
    default = ",".join(field.default) if isinstance(field.default, tuple) else field.default
    others = [
        f"{problem} {suggested(problem)[name]}"
        for problem in choices("problem")
        if name in suggested(problem)
    ]
    defaults = ", ".join([f"default: {default}", *others])
    return ("; ".join(parts) + f" ({defaults})").replace("%", "%%")


def _add_folder(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--runs", metavar="DIR", help="folder of the runs (default: $DLN_RUNS or runs)"
    )


def _config(options: argparse.Namespace) -> Config:
    """The Config of the flags; also says where the data are."""
    if options.data:
        os.environ["DLN_DATA"] = str(Path(options.data).resolve())
    try:
        return Config.from_dict(_given(options))
    except ConfigError as error:
        sentences = [f"{_flag(name)}: {sentence}" for name, sentence in error.problems.items()]
        raise ValueError(" ".join(sentences)) from None


def _given(options: argparse.Namespace) -> dict[str, str]:
    """The settings that are flags of this command line, as texts."""
    flags = {name: getattr(options, name) for name in SETTINGS}
    return {name: text for name, text in flags.items() if text is not None}


def _run(options: argparse.Namespace) -> int:
    config = _config(options)
    run = start(config, root(options.runs))
    print(f"Run {run.key}")
    try:
        status = printed.follow(run, config)
    except KeyboardInterrupt:
        print(printed.summary(run.trajectories))
        raise
    if status.phase in ("failed", "lost"):
        raise RunError(status.message)
    print(f"{status.phase}: {status.sentence.removeprefix(f'{status.phase}; ')}")
    print(printed.summary(run.trajectories))
    return {"diverged": WRONG, "cancelled": ENDED}.get(status.phase, 0)


def _attribution(options: argparse.Namespace) -> int:
    config, folder = _config(options), root(options.runs)
    attribution.goal(options.level)  # a wrong one is told before anything is trained
    how = Print(options.size, options.font, options.line, options.grey)
    form = formats.format_of(options.out, formats.STILL) if options.out else ""
    configs = attribution.ladder(config, options.seeds)
    started: list[Run] = []
    try:
        for each in configs:
            started.append(start(each, folder))
        for run, each in zip(started, configs, strict=True):
            status = printed.follow(run, each)
            if status.phase in ("failed", "lost", "cancelled"):
                raise RunError(status.message)
    except (KeyboardInterrupt, RunError):
        for run in filter(began, started):
            run.ask(CANCEL)
        raise
    made = attribution.attribute(config, [run.trajectories for run in started], options.level)
    if options.json:
        print(json.dumps(attribution.to_dict(made), indent=1, ensure_ascii=False))
    else:
        print(printed.aligned(attribution.table(made)))
        print("\n".join(attribution.sentences(made)))
    if form:
        _write_waterfall(made, configs, form, how, options.out)
    return 0


def _write_waterfall(
    made: attribution.Attribution, configs: Sequence[Config], form: str, how: Print, file: Path
) -> None:
    from dynamics.draw import waterfall  # not at the top: they load Plotly
    from dynamics.export import caption, picture

    figure, words = waterfall.draw(made).to_plotly_json(), caption.told(made, configs)
    file.write_bytes(picture.picture(figure, form, how, words))
    print(f"{file}: {file.stat().st_size:,} bytes", file=sys.stderr)


def _forecast(options: argparse.Namespace) -> int:
    from dynamics.peers import trajectory_file  # not at the top: these load SciPy or torch
    from dynamics.theory.forecast import forecast

    if options.reference:
        config, facts = trajectory_file.read(options.reference, _given(options))
    else:
        config = _config(options)
        facts = _look(config)
    made = forecast(config, facts)
    if options.json:
        print(json.dumps(made.to_dict(), indent=1, ensure_ascii=False))
    else:
        print("\n".join(printed.table(made)))
    return 0


def _look(config: Config) -> dict[str, Any]:
    import torch

    from dynamics.data.folder import DataError
    from dynamics.engine.training.facts import look

    torch.set_num_threads(1)
    try:
        return look(config)
    except (DataError, MemoryError) as error:
        raise ValueError(str(error)) from None


def _verify(options: argparse.Namespace) -> int:
    import torch  # not at the top: the other commands answer without it

    from dynamics.peers.verify import UnreadableError, verify

    torch.set_num_threads(1)
    found, unreadable = [], []
    for file in options.files:
        with tqdm(unit="record", file=sys.stderr, leave=False) as bar:

            def progress(
                network: str, number: int, total: int, bar: Any = bar, name: str = file.name
            ) -> None:
                bar.set_description_str(f"{name} {network}", refresh=False)
                bar.total, bar.n = total, number
                bar.update(0)

            try:
                found += list(verify(file, options.tolerance, progress))
            except UnreadableError as error:
                unreadable.append(str(error))
    printed.print_deviations(found, unreadable, options.json)
    if unreadable:
        return UNREADABLE
    return 0 if all(deviation.within for deviation in found) else WRONG


def _bench(options: argparse.Namespace) -> int:
    from dynamics.peers import speed  # not at the top: it loads torch

    return speed.run(quick=options.quick, as_json=options.json, only=options.only)


def _figure(options: argparse.Namespace) -> int:
    from dynamics.commands import figure as figures  # not at the top: it loads Plotly

    return figures.run(options)


def _export(options: argparse.Namespace) -> int:
    form, ending = _form(options)
    keys = list(dict.fromkeys(options.keys))
    found = [find(key, root(options.runs)) for key in keys]
    file = options.out or Path(f"{'-'.join(keys)}.{ending}")
    if str(file) != "-":
        formats.check_writable(file)
    if (form, options.figure) == ("csv", panel.MAPS) and len(found) == 1:
        content = tables.cells(found[0], options.at)
    elif form in ("csv", "zip") and len(found) > 1 and not options.figure:
        content = tables.csv(found) if form == "csv" else tables.bundle(found, file.stem)
    elif form not in formats.DATA or options.figure or len(found) > 1:
        if form not in formats.CHARTS:
            raise ValueError(
                f"{form} holds the numbers of one run; it has no charts or comparisons. csv and "
                "zip hold several."
            )
        how = Print(options.size, options.font, options.line, options.grey)
        content = export.picture(found, form, how, options.figure, options.over, options.at)
    else:
        content = export.export(found[0], form)
    if str(file) == "-":
        sys.stdout.buffer.write(content)
        return 0
    file.write_bytes(content)
    print(f"{file}: {len(content):,} bytes")
    return 0


def _form(options: argparse.Namespace) -> tuple[str, str]:
    """The format and the ending of its files; without a flag and a file, CSV."""
    if options.format:
        form = options.format
    elif options.out and options.out.suffix:
        form = formats.format_of(options.out, formats.FORMATS)
    else:
        form = "csv"
    return form, formats.FORMATS[form].ending


def _runs(options: argparse.Namespace) -> int:
    folder = root(options.runs)
    if options.action == "list":
        for run, config, status in listing(folder):
            about = f"{config.problem}, L={config.depth}, r̂={config.rank_bound}" if config else ""
            print(f"{run.key}  {status.phase:10} {status.step:>9,}  {about or status.sentence}")
        return 0
    if not options.keys:
        raise ValueError(f"runs {options.action} needs the key of a run; runs list shows them.")
    for key in options.keys:
        ACTIONS[options.action](find(key, folder))
    return 0


def _show(run: Run) -> None:
    status = run.status
    print(f"{run.key} {status.phase}, step {status.step:,}: {status.sentence}")
    for name, value in run.config.to_dict().items():
        print(f"  {_flag(name):20} {value}")
    print(printed.summary(run.trajectories))


ACTIONS = {
    "list": None,
    "show": _show,
    "delete": Run.delete,
    "pause": lambda run: run.ask(PAUSE),
    "resume": lambda run: run.ask(RUN),
    "cancel": lambda run: run.ask(CANCEL),
}

if __name__ == "__main__":
    sys.exit(main())
