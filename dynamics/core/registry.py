"""Options are files: every module of a folder here is one entry of a menu, a flag, a sweep axis.

Names, one-line descriptions and constants are read from the source, so that whoever only lists
options (a page, ``--help``, a viewer of runs) loads neither torch nor the option itself.
"""

import ast
import functools
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

PROGRAM = Path(__file__).parents[1]
PLACES = {  # the seven doors for a file of one's own
    "problems": "engine/problems",
    "networks": "engine/networks",
    "optimizers": "engine/optimizers",
    "measurements": "engine/measurements",
    "charts": "draw/charts",
    "figures": "paper/figures",
    "lessons": "teach/lessons",
}


def place(folder: str) -> Path:
    """The folder itself."""
    return PROGRAM / PLACES[folder]


@functools.cache
def options(folder: str) -> dict[str, str]:
    """The modules of ``folder`` by name, each with the first line of its docstring."""
    files = sorted(place(folder).glob("[!_]*.py"))
    return {file.stem: _headline(file) for file in files}


@functools.cache
def constant(folder: str, name: str, variable: str, default: Any = None) -> Any:
    """The literal that ``folder/name.py`` assigns to ``variable``, read without importing it."""
    for node in ast.parse((place(folder) / f"{name}.py").read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == variable:
            return ast.literal_eval(node.value)
    return default


def load(folder: str, name: str) -> ModuleType:
    """The module ``name`` of ``folder``.

    Raises:
        ValueError: if there is no such option.
    """
    if name not in options(folder):
        raise ValueError(f"{name!r} is not one of the {folder}: {', '.join(options(folder))}.")
    return importlib.import_module(f"dynamics.{PLACES[folder].replace('/', '.')}.{name}")


def _headline(file: Path) -> str:
    return (ast.get_docstring(ast.parse(file.read_text())) or file.stem).splitlines()[0]
