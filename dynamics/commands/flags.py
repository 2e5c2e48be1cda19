"""Flags that several commands share, and the values that they stand for."""

import argparse
import os
from pathlib import Path
from typing import Any

from dynamics.core.config import ELSEWHERE, SETTINGS, Config, ConfigError, choices, suggested
from dynamics.data import dataset as datasets
from dynamics.data.folder import DataError
from dynamics.export.layout.sizes import SIZES, Print
from dynamics.runs.run import root


class Typed(argparse.Action):
    """Stores a text, and in ``typed`` the names of all such flags in the order of the line."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Store one."""
        setattr(namespace, self.dest, values)
        namespace.typed = [*getattr(namespace, "typed", ()), self.dest]


def add_settings(command: argparse.ArgumentParser) -> None:
    """Add a flag for each field of Config, ``--data``, and ``--data-file`` for ``--dataset``."""
    for name in SETTINGS:
        flags = (flag(name), "--data-file") if name == "dataset" else (flag(name),)
        command.add_argument(
            *flags, dest=name, action=Typed, metavar=_metavar(name), help=_help(name)
        )
    command.add_argument(
        "--data", metavar="DIR", help="folder of the data sets (default: $DLN_DATA)"
    )


def add_folder(command: argparse.ArgumentParser) -> None:
    """Add ``--runs``, the folder of all runs."""
    command.add_argument(
        "--runs", metavar="DIR", help="folder of the runs (default: $DLN_RUNS or runs)"
    )


def add_print(command: argparse.ArgumentParser, size: str) -> None:
    """Add the flags for a chart's size, which is ``size`` by default, its type and its lines."""
    sizes = ", ".join(f"{name} ({about.title})" for name, about in SIZES.items())
    words = f"size of a chart: one of {sizes} (default: {size})"
    command.add_argument("--size", default=size, choices=list(SIZES), help=words)
    command.add_argument(
        "--font", type=float, default=0, metavar="PT", help="size of a chart's type in points"
    )
    command.add_argument(
        "--line", type=float, default=0, metavar="PT", help="width of a chart's lines in points"
    )
    command.add_argument("--grey", action="store_true", help="draw a chart without colour")


def flag(name: str) -> str:
    """The flag of a setting."""
    return "--" + name.replace("_", "-")


def given(options: argparse.Namespace) -> dict[str, str]:
    """The settings that the command line names, as texts."""
    flags = {name: getattr(options, name) for name in SETTINGS}
    return {name: text for name, text in flags.items() if text is not None}


def settings(options: argparse.Namespace) -> dict[str, str]:
    """``given``, with the data set that ``--dataset`` names imported.

    Raises:
        ValueError: with one sentence, if it cannot be imported.
    """
    try:
        return _imported(given(options))
    except DataError as error:
        raise ValueError(f"--dataset: {error}") from None


def config(options: argparse.Namespace) -> Config:
    """The Config of the flags; the file that ``--dataset`` names is imported.

    Raises:
        ValueError: with a sentence for each flag whose value cannot be used.
    """
    values = settings(options)
    try:
        made = Config.from_dict(values)
        if made.watched:
            raise ConfigError({"problem": ELSEWHERE})
        return made
    except ConfigError as error:
        sentences = [f"{flag(name)}: {sentence}" for name, sentence in error.problems.items()]
        raise ValueError(" ".join(sentences)) from None


def _imported(values: dict[str, str]) -> dict[str, str]:
    """The settings with the id of a data set in place of its path; it needs no ``--problem``.

    Raises:
        DataError: if the file cannot be imported.
    """
    text = values.get("dataset", "")
    if not text:
        return values
    named = datasets.keep(Path(text)) if datasets.kind_of_file(text) else text
    try:
        problem = datasets.PROBLEMS[datasets.kind(named)]
    except ValueError:  # Config says so
        return values
    return {"problem": problem} | values | {"dataset": named}


def folder(options: argparse.Namespace) -> Path:
    """The folder of all runs."""
    return root(options.runs)


def print_of(options: argparse.Namespace) -> Print:
    """Size, type and lines of a chart.

    Raises:
        ValueError: if one of them cannot be printed.
    """
    return Print(options.size, options.font, options.line, options.grey)


def set_data_folder(options: argparse.Namespace) -> None:
    """Set ``$DLN_DATA`` to ``--data``, for this process and for the workers that it starts."""
    if getattr(options, "data", None):
        os.environ["DLN_DATA"] = str(Path(options.data).resolve())


def _metavar(name: str) -> str:
    kinds: dict[Any, str] = {int: "N", float: "X", str: "NAME"}
    return kinds.get(SETTINGS[name].type, "NAMES")


def _help(name: str) -> str:
    """Symbol, meaning, values and defaults of a field."""
    about = SETTINGS[name]
    words = f"{about.symbol}: {about.describe()}" if about.symbol else about.describe()
    default = ",".join(about.default) if isinstance(about.default, tuple) else about.default
    others = [
        f"{problem} {suggested(problem)[name]}"
        for problem in choices("problem")
        if name in suggested(problem)
    ]
    defaults = ", ".join([f"default: {default}", *others])
    return f"{words} ({defaults})".replace("%", "%%")
