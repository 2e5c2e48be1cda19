"""Flags that several commands share, and the values that they stand for."""

import argparse
import os
from pathlib import Path
from typing import Any

from dynamics.core.config import SETTINGS, Config, ConfigError, choices, suggested
from dynamics.export.layout.sizes import SIZES, Print
from dynamics.runs.run import root


def add_settings(command: argparse.ArgumentParser) -> None:
    """A flag for each field of Config, and ``--data``."""
    for name in SETTINGS:
        command.add_argument(flag(name), dest=name, metavar=_metavar(name), help=_help(name))
    command.add_argument("--data", metavar="DIR", help="where data sets are (default: $DLN_DATA)")


def add_folder(command: argparse.ArgumentParser) -> None:
    """``--runs``: the folder of all runs."""
    command.add_argument(
        "--runs", metavar="DIR", help="folder of the runs (default: $DLN_RUNS or runs)"
    )


def add_print(command: argparse.ArgumentParser, size: str) -> None:
    """How large a chart is written, by default as ``size``, and in what type and lines."""
    sizes = ", ".join(f"{name} ({each.title})" for name, each in SIZES.items())
    words = f"of a chart: one of {sizes} (default: {size})"
    command.add_argument("--size", default=size, choices=list(SIZES), help=words)
    command.add_argument("--font", type=float, default=0, metavar="PT", help="points of the type")
    command.add_argument("--line", type=float, default=0, metavar="PT", help="points of a line")
    command.add_argument("--grey", action="store_true", help="without colour")


def flag(name: str) -> str:
    """The flag of a setting."""
    return "--" + name.replace("_", "-")


def given(options: argparse.Namespace) -> dict[str, str]:
    """The settings that the command line names, as texts."""
    flags = {name: getattr(options, name) for name in SETTINGS}
    return {name: text for name, text in flags.items() if text is not None}


def config(options: argparse.Namespace) -> Config:
    """The Config of the flags.

    Raises:
        ValueError: with a sentence for each flag whose value cannot be used.
    """
    try:
        return Config.from_dict(given(options))
    except ConfigError as error:
        sentences = [f"{flag(name)}: {sentence}" for name, sentence in error.problems.items()]
        raise ValueError(" ".join(sentences)) from None


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
    """Set ``$DLN_DATA``, which this process and the workers that it starts read, to ``--data``."""
    if getattr(options, "data", None):
        os.environ["DLN_DATA"] = str(Path(options.data).resolve())


def _metavar(name: str) -> str:
    kinds: dict[Any, str] = {int: "N", float: "X", str: "NAME"}
    return kinds.get(SETTINGS[name].type, "NAMES")


def _help(name: str) -> str:
    """Symbol, meaning, values and defaults of a field."""
    known = SETTINGS[name]
    words = f"{known.symbol}: {known.describe()}" if known.symbol else known.describe()
    default = ",".join(known.default) if isinstance(known.default, tuple) else known.default
    others = [
        f"{problem} {suggested(problem)[name]}"
        for problem in choices("problem")
        if name in suggested(problem)
    ]
    defaults = ", ".join([f"default: {default}", *others])
    return f"{words} ({defaults})".replace("%", "%%")
