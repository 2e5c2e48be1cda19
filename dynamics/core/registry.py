"""Options are files: every module of a folder here is one entry of a menu, a flag, a sweep axis.

Names and one-line descriptions are read from the source. Code that only lists options (a page,
``--help``, a viewer of runs) therefore loads neither torch nor the option itself.
"""

import ast
import functools
import importlib
from pathlib import Path
from types import ModuleType

PROGRAM = Path(__file__).parents[1]
PLACES = {  # the eight folders to which a user can add a file
    "problems": "engine/problems",
    "networks": "engine/networks",
    "backbones": "engine/backbones",
    "optimizers": "engine/optimizers",
    "measurements": "engine/measurements",
    "charts": "draw/charts",
    "figures": "paper/figures",
    "lessons": "teach/lessons",
}


def place(folder: str) -> Path:
    """The path of the folder."""
    return PROGRAM / PLACES[folder]


@functools.cache
def options(folder: str) -> dict[str, str]:
    """The modules of ``folder`` by name, each with the first line of its docstring."""
    files = sorted(place(folder).glob("[!_]*.py"))
    return {file.stem: _headline(file) for file in files}


def module(folder: str, name: str) -> str:
    """The name under which Python imports the module ``name`` of ``folder``."""
    return f"dynamics.{PLACES[folder].replace('/', '.')}.{name}"


def load(folder: str, name: str) -> ModuleType:
    """The module ``name`` of ``folder``.

    Raises:
        ValueError: if the option does not exist.
    """
    need(folder, name)
    return importlib.import_module(module(folder, name))


def need(folder: str, name: str) -> None:
    """Check that ``folder`` has the option ``name``.

    Raises:
        ValueError: if it does not.
    """
    if name not in options(folder):
        raise ValueError(f"{name!r} is not one of the {folder}: {', '.join(options(folder))}.")


def _headline(file: Path) -> str:
    return (
        ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or file.stem
    ).splitlines()[0]
