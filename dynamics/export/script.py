"""Script: one Python file that trains a run again with torch and NumPy alone; or a notebook.

The program is ``script_template.py``; a run fills in its marked places.
"""

import ast
import base64
import io
import json
import math
import pprint
import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from dynamics.core import registry, traits
from dynamics.core.config import SETTINGS, Config
from dynamics.core.rates import turns
from dynamics.core.records import Trajectory
from dynamics.core.sizes import widths
from dynamics.data import published
from dynamics.data.published import DRAWN
from dynamics.export.caption import BIBTEX, about
from dynamics.findings.rounding import promised
from dynamics.runs.run import Run, RunError

PROGRAM = Path(__file__).with_name("script_template.py")
ABOUT = "<run>"  # place of the run's description, in the docstring
ARRAYS = 'ARRAYS = """\n'
FILLED = re.compile(r"# <settings>\n.*# </settings>\n", re.DOTALL)
OPTIMIZER = re.compile(r"# <optimizer>\n.*# </optimizer>\n", re.DOTALL)
EARLIER = 10  # records before the last, to compare with a run that amplifies rounding
MOST_IN_MATRIX = 2**26  # numbers, which take 0.5 GiB
MOST_IN_MEASUREMENTS = 2**28  # numbers of all measurements together
KEPT = (
    "problem", "rank", "spectrum", "observed", "measurements", "sensing", "noise", "depth",
    "initialization", "init_scale", "optimizer", "dtype", "seed_target", "seed_data", "seed_noise",
    "seed_init",
)  # fmt: skip
# Settings that NETWORKS and FINAL hold, or that do not change the numbers.
FOLDED = (
    "rows", "cols", "networks", "width", "rank_bound", "learning_rate", "rate_unit", "equal",
    "alpha", "alpha_original", "steps", "record_every", "recording", "tolerance", "device",
    "changes", "matrices",
)  # fmt: skip
IMPORTS = (ast.Import, ast.ImportFrom)
PROBLEMS = ("factorization", "completion", "sensing", "photograph", "movielens")


def script(run: Run) -> str:
    """The program of a run.

    Raises:
        RunError: with one sentence, if the run has no records or the program cannot repeat it.
    """
    config = run.config
    _check(run, config)
    rows, cols = config.shape
    settings = {"rows": rows, "cols": cols} | {name: getattr(config, name) for name in KEPT}
    (rate,) = run.layout.facts["learning_rate"]
    records = _records(run)
    final = {name: each[-1] for name, each in records.items()}
    networks = {name: _network(config, name, rate) for name in final}
    blocks = {
        "SETTINGS: dict[str, Any]": settings,
        "NETWORKS: dict[str, Any]": networks,
        "FINAL: dict[str, Any]": final,
        "EARLIER: dict[str, Any]": {name: each[:-1] for name, each in records.items()},
        "TOLERANCE": promised(config),
    }
    filled = "".join(f"{name} = {_text(value)}\n" for name, value in blocks.items())
    caption = about([config], "recovery_error").caption.partition(". ")[2]
    about_run = f"Run {run.key}. {caption}".replace("\\", "/").replace('"', "'")
    program = FILLED.sub(lambda _: filled, PROGRAM.read_text(encoding="utf-8"))
    program = OPTIMIZER.sub(lambda _: _direction(config.optimizer), program)
    program = program.replace(ARRAYS, ARRAYS + _arrays(config))
    program = program.replace(ABOUT, _wrapped(about_run), 1)
    bibtex = "".join(f"# {line}\n" for line in BIBTEX.splitlines())
    return bibtex + program


def refusal(run: Run) -> str:
    """The reason, in one sentence, why a run has no program; empty if it has one."""
    try:
        _check(run, run.config)
    except RunError as error:
        return str(error)
    return ""


def notebook(run: Run) -> str:
    """The program as a notebook: a cell for settings, problem, networks and check."""
    text = script(run)
    head, rest = text.split('"""\n\n', 1)
    words = head.partition('"""')[2]
    parts = re.split(r"\n\n\n(?=# The |def main)", rest.partition("\n\nif __name__")[0])
    cells = [_cell("markdown", words), *(_cell("code", part) for part in parts)]
    cells.append(_cell("code", "main()"))
    for number, cell in enumerate(cells):
        cell["id"] = f"part-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False)


def _cell(kind: str, text: str) -> dict[str, Any]:
    code: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    lines = text.strip("\n").splitlines(keepends=True)
    return {"cell_type": kind, "metadata": {}, "source": lines, **code}


def _check(run: Run, config: Config) -> None:
    """Raise RunError for a run that the program cannot repeat."""
    run.need_records()
    if traits.problem(config.problem).classifies:
        raise RunError(f"A script cannot repeat a run of {config.problem} yet.")
    plain = Config()
    unknown = [
        name
        for name in SETTINGS
        if name not in (*KEPT, *FOLDED, "problem") and getattr(config, name) != getattr(plain, name)
    ]
    if config.problem not in PROBLEMS:
        unknown.append("problem")
    if unknown:
        raise RunError(f"A script cannot repeat a run with {' and '.join(unknown)} yet.")
    _direction(config.optimizer)
    rows, cols = config.shape
    _check_size("matrices", rows * cols, MOST_IN_MATRIX)
    if config.problem == "sensing" and config.sensing == "gaussian":
        _check_size("measurements", rows * cols * config.measurements, MOST_IN_MEASUREMENTS)


def _check_size(what: str, size: int, most: int) -> None:
    if size > most:
        raise RunError(
            f"A script keeps whole {what}. This run's {what} have {size:,} numbers, and a script "
            f"can repeat at most {most:,}."
        )


def _direction(optimizer: str) -> str:
    """The functions of an optimizer's own file, and the constants that they use.

    Raises:
        RunError: if the file needs more than the program has.
    """
    text = (registry.place("optimizers") / f"{optimizer}.py").read_text(encoding="utf-8")
    template = ast.parse(PROGRAM.read_text(encoding="utf-8")).body
    _, *body = ast.parse(text).body  # without the docstring
    more = [node for node in body if not isinstance(node, IMPORTS)]
    imports = {ast.unparse(node) for node in body if isinstance(node, IMPORTS)}
    functions = [node for node in more if isinstance(node, ast.FunctionDef)]
    read = {name.id for node in functions for name in ast.walk(node) if isinstance(name, ast.Name)}
    kept = [node for node in more if node in functions or _names(node) & read]
    taken = {name for node in template for name in _names(node)} - {"direction"}
    clash = taken & {name for node in kept for name in _names(node)}
    if clash or imports - {ast.unparse(node) for node in template}:
        raise RunError(
            f"A script cannot repeat a run with the optimizer {optimizer}: its file imports more "
            "than the script does, or defines a name that the script has already."
        )
    return "\n\n\n".join(ast.get_source_segment(text, node) or "" for node in kept) + "\n"


def _names(node: ast.stmt) -> set[str]:
    """The names that a statement at the top of a file assigns or defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def _network(config: Config, name: str, rate: float) -> dict[str, Any]:
    kind = traits.network(name)
    start = "factors"
    if kind.narrow:
        start = "narrow factors"
    if kind.spectral:
        start = "spectral"
    late = config.late if config.starts_late(name) else None
    return {
        "width": widths(config, name)[1],
        "start": "cut" if late else start,
        "at": late.step if late else 0,
        "rates": [
            [step, rates.learning_rate, rates.outer]
            for step, rates in turns(config, name, rate).items()
        ],
    }


def _records(run: Run) -> dict[str, list[dict[str, Any]]]:
    """Each network's numbers at up to EARLIER records and its last; None for infinity and NaN.

    A network is left out if the original had ended before the network could be cut from it.
    """
    records = {}
    for trajectory in run.trajectories:
        last = len(trajectory.steps) - 1
        if last >= 0:
            chosen = sorted({round(last * part / EARLIER) for part in range(EARLIER + 1)})
            records[trajectory.network] = [
                _numbers(trajectory, index, run.config.rank) for index in chosen
            ]
    return records


def _numbers(trajectory: Trajectory, index: int, rank: int) -> dict[str, Any]:
    values: dict[str, Any] = {"step": int(trajectory.steps[index])}
    for name in ("train_loss", "recovery_error"):
        if name in trajectory.series:
            values[name] = _plain(trajectory.series[name][index])
    largest = trajectory.series["singular_values"][index][:rank]
    if np.isfinite(largest).all():
        values["singular_values"] = largest.tolist()
    return values


def _plain(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def _arrays(config: Config) -> str:
    """Arrays that no seed draws, as NPZ in lines of text; published arrays take at most 0.6 MB."""
    arrays: dict[str, Any] = {}
    if config.problem == "photograph":
        from dynamics.data.photograph import photograph

        arrays["pixels"] = photograph(*config.shape)
    if config.matrices != DRAWN:
        stored = published.arrays(config.matrices)
        arrays["target"] = stored["target"]
        if config.problem == "completion":
            arrays["mask"] = stored["mask"] > 0
        factors = published.start(config.matrices, config.problem, config.depth)
        arrays |= {f"factor_{number}": factor for number, factor in enumerate(factors, 1)}
    if not arrays:
        return ""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return base64.encodebytes(file.getvalue()).decode()


def _text(value: Any) -> str:
    return pprint.pformat(value, width=96, sort_dicts=False)


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 96, break_on_hyphens=False))
