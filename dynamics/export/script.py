"""Script: one Python file that trains a run again with torch and NumPy alone; or a notebook.

The program is ``script_template.py``, or where classes are told apart
``script_template_classes.py``; a run fills in its marked places.
"""

import ast
import base64
import functools
import io
import json
import math
import pprint
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dynamics.core import holes, registry, table, traits
from dynamics.core.config import ELSEWHERE, SETTINGS, Config
from dynamics.core.contents import entries
from dynamics.core.rates import turns
from dynamics.core.records import Trajectory
from dynamics.core.sizes import widths
from dynamics.data import fashion_mnist, own_matrix, own_picture, published
from dynamics.data.digits import digits
from dynamics.data.folder import DataError
from dynamics.data.published import DRAWN
from dynamics.export.caption import BIBTEX, about
from dynamics.findings.rounding import promised
from dynamics.runs.run import Run, RunError

MATRICES, CLASSES = (Path(__file__).with_name(f"script_template{of}.py") for of in ("", "_classes"))
ROOT = Path(__file__).parents[2]  # folder of this package
ABOUT = "<run>"  # place of the run's description, in the docstring
ARRAYS = 'ARRAYS = """\n'
EARLIER = 10  # records before the last that are compared, too
MOST_IN_MATRIX = 2**26  # numbers, which take 0.5 GiB
MOST_IN_MEASUREMENTS = 2**28  # numbers of all measurements together
MOST_LISTED = 500_000  # known entries of a user's matrix, which take 5 MB in the program
KEPT = ("problem", "depth", "initialization", "init_scale", "optimizer", "dtype", "seed_data",
        "seed_noise", "seed_init")  # fmt: skip
# Settings that only one of the two programs keeps.
OF_MATRICES = ("rank", "spectrum", "observed", "validation", "measurements", "sensing",
               "input_correlation", "noise", "seed_target")  # fmt: skip
OF_CLASSES = ("dataset", "backbone", "place", "activation", "features", "backbone_rate",
              "alpha_first", "batch", "images", "validation", "label_noise",
              "seed_backbone")  # fmt: skip
# Settings that NETWORKS and FINAL hold, or that do not change the numbers.
FOLDED = (
    "rows", "cols", "networks", "width", "rank_bound", "learning_rate", "rate_unit", "equal",
    "alpha", "alpha_original", "steps", "record_every", "recording", "tolerance", "device",
    "changes", "matrices", "sharpness", "holes", "dataset",
)  # fmt: skip
SHARED = "# The draws, cuts and comparisons.\n"  # heading of what both programs have
COMPARED = ("train_loss", "recovery_error", "validation_rmse", "held_out_rmse")
COMPARED_CLASSES = ("train_loss", "test_loss", "accuracy")
STUBS = {"direction", "build"}  # what a run's own optimizer and backbone replace
IMPORTS = (ast.Import, ast.ImportFrom)
PROBLEMS = ("factorization", "completion", "sensing", "photograph", "own_picture", "own_matrix",
            "semantic", "movielens", "films", "digits", "fashion_mnist", "own")  # fmt: skip


def script(run: Run) -> str:
    """The program of a run.

    Raises:
        RunError: with one sentence, if the run has no records or the program cannot repeat it.
    """
    config = run.config
    _check(run, config)
    place = CLASSES if config.contents else MATRICES
    program = place.read_text(encoding="utf-8")
    filled = {"settings": _run(run), "optimizer": _source("optimizers", config.optimizer, place)}
    if config.contents:
        filled |= {"backbone": _source("backbones", config.backbone, place), "shared": ""}
        program = program.replace(SHARED, f"{SHARED}\n\n{_shared(program)}")
    for mark, text in filled.items():
        marked = re.compile(rf"# <{mark}>\n.*# </{mark}>\n", re.DOTALL)
        program = marked.sub(functools.partial(_same, text), program)
    program = program.replace(ARRAYS, ARRAYS + _arrays(config))
    caption = about([config], "recovery_error").caption.partition(". ")[2]
    about_run = f"Run {run.key}. {caption}".replace("\\", "/").replace('"', "'")
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
    if config.watched:
        raise RunError(ELSEWHERE)
    plain = Config()
    reads = (*KEPT, *(OF_CLASSES if config.contents else OF_MATRICES), *FOLDED)
    unread = {*OF_CLASSES, *OF_MATRICES} - set(traits.problem(config.problem).reads)
    unknown = [
        name
        for name in SETTINGS
        if name not in {*reads, *unread} and getattr(config, name) != getattr(plain, name)
    ]
    if config.problem not in PROBLEMS:
        unknown.append("problem")
    if unknown:
        raise RunError(f"A script cannot repeat a run with {' and '.join(unknown)} yet.")
    _source("optimizers", config.optimizer, CLASSES if config.contents else MATRICES)
    if config.contents:
        _source("backbones", config.backbone, CLASSES)
        return
    rows, cols = config.shape
    _check_size("matrices", rows * cols, MOST_IN_MATRIX)
    if config.problem == "own_matrix":
        _check_size("lists of known entries", entries(config.problem, config.dataset), MOST_LISTED)
    if config.problem == "sensing" and config.sensing == "gaussian":
        _check_size("measurements", rows * cols * config.measurements, MOST_IN_MEASUREMENTS)


def _check_size(what: str, size: int, most: int) -> None:
    if size > most:
        raise RunError(
            f"A script keeps whole {what}. This run's {what} have {size:,} numbers, and a script "
            f"can repeat at most {most:,}."
        )


def _run(run: Run) -> str:
    """What a run fills into the program: its settings, networks and numbers."""
    config = run.config
    rows, cols = config.shape
    settings = {"rows": rows, "cols": cols}
    if config.contents:
        settings = {"classes": config.contents.classes, "training": config.contents.images}
    names = (*KEPT, *(OF_CLASSES if config.contents else OF_MATRICES))
    (rate,) = run.layout.facts["learning_rate"]
    records = _records(run)
    blocks = {
        "SETTINGS: dict[str, Any]": settings | {name: getattr(config, name) for name in names},
        "NETWORKS: dict[str, Any]": {
            name: _network(config, name, rate) | _end(config, name, each)
            for name, each in records.items()
        },
        "FINAL: dict[str, Any]": {name: each[-1] for name, each in records.items()},
        "EARLIER: dict[str, Any]": {name: each[:-1] for name, each in records.items()},
        "TOLERANCE": promised(config),
    }
    if config.problem == "fashion_mnist":
        files = fashion_mnist.FILES
        blocks["FILES: dict[str, str]"] = {name: digest for name, (_, digest) in files.items()}
    return "".join(f"{name} = {_text(value)}\n" for name, value in blocks.items())


def _same(text: str, _: re.Match[str]) -> str:
    return text


def _source(folder: str, name: str, program: Path) -> str:
    """What an option's own file defines, without its imports.

    Raises:
        RunError: if the file needs more than the program has.
    """
    text = (registry.place(folder) / f"{name}.py").read_text(encoding="utf-8")
    template = ast.parse(program.read_text(encoding="utf-8")).body
    _, *body = ast.parse(text).body  # without the docstring
    more = [node for node in body if not isinstance(node, IMPORTS)]
    imports = {each for node in body for each in _imported(node)}
    functions = [node for node in more if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    read = {name.id for node in functions for name in ast.walk(node) if isinstance(name, ast.Name)}
    kept = [node for node in more if node in functions or _names(node) & read]
    taken = {name for node in template for name in _names(node)} - STUBS
    has = taken | {each for node in template for each in _imported(node)}
    clash = taken & {name for node in kept for name in _names(node)}
    if clash or imports - has:
        raise RunError(
            f"A script cannot repeat a run with the {folder.removesuffix('s')} {name}: its file "
            "imports more than the script does, or defines a name that the script has already."
        )
    return "\n\n\n".join(ast.get_source_segment(text, node) or "" for node in kept) + "\n"


def _imported(node: ast.stmt) -> list[str]:
    """The names that an import at the top of a file defines."""
    return [each.asname or each.name for each in node.names] if isinstance(node, IMPORTS) else []


def _shared(program: str) -> str:
    """What the program for classes takes from other files of this package, in their order."""
    (taken,) = re.findall(r"# <shared>\n(.*)# </shared>\n", program, re.DOTALL)
    own = {name for node in ast.parse(program).body for name in _names(node)}
    return "\n\n\n".join(_defined(_wanted(ast.parse(taken).body), own)) + "\n"


def _wanted(imports: Sequence[ast.stmt]) -> dict[str, set[str]]:
    """The names that imports take from modules of this package, by module."""
    return {
        str(node.module): set(_imported(node))
        for node in imports
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("dynamics.")
    }


def _defined(wanted: Mapping[str, set[str]], own: set[str]) -> list[str]:
    """Sources of the wanted names by module, and of all that they read and is not ``own``."""
    parts = []
    for module, names in wanted.items():
        text = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        body = ast.parse(text).body
        known = {name: node for node in body for name in _names(node)}
        found, more = set[str](), names
        while more:
            found |= more
            more = {name for each in found & known.keys() for name in _read(known[each])}
            more -= found | own
        elsewhere = {key: some & found for key, some in _wanted(body).items() if some & found}
        parts += _defined(elsewhere, own)
        lines = text.splitlines()
        for node in body:
            if _names(node) & found:
                first = min(each.lineno for each in (node, *getattr(node, "decorator_list", ())))
                parts.append("\n".join(lines[first - 1 : node.end_lineno]))
    return parts


def _read(node: ast.stmt) -> set[str]:
    """The names that a statement mentions."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _names(node: ast.stmt) -> set[str]:
    """The names that a statement at the top of a file assigns or defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, IMPORTS):
        return set()
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def _network(config: Config, name: str, rate: float) -> dict[str, Any]:
    kind = traits.network(name)
    start = "narrow factors" if kind.narrow else "factors"
    if kind.depth == 1:
        start = "plain layer"
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


def _end(config: Config, name: str, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Depth of a network that tells classes apart, and whether its last record read all images."""
    if not config.contents:
        return {}
    last = records[-1]
    ended = last["step"] == config.steps or (last["train_loss"] or math.inf) <= config.tolerance
    return {"depth": traits.network(name).depth or config.depth, "ended": ended}


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
                _numbers(trajectory, index, run.config) for index in chosen
            ]
    return records


def _numbers(trajectory: Trajectory, index: int, config: Config) -> dict[str, Any]:
    values: dict[str, Any] = {"step": int(trajectory.steps[index])}
    for name in COMPARED_CLASSES if config.contents else COMPARED:
        if name in trajectory.series:
            values[name] = _plain(trajectory.series[name][index])
    count = config.contents.classes if config.contents else config.rank
    count = min(count, *widths(config, trajectory.network))  # what lies beyond is rounding alone
    largest = trajectory.series["singular_values"][index][:count]
    if np.isfinite(largest).all():
        values["singular_values"] = largest.tolist()
    return values


def _plain(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def _arrays(config: Config) -> str:
    """Arrays that no seed draws, as NPZ in lines of text; published arrays take at most 0.6 MB.

    Files that a program reads by itself are not among them.
    """
    arrays: dict[str, Any] = {}
    if config.problem == "photograph":
        from dynamics.data.photograph import photograph

        arrays["pixels"] = photograph(*config.shape)
    if config.problem in ("own_picture", "own_matrix"):
        arrays |= _own(config)
    if traits.problem(config.problem).picture and config.holes != "random":
        arrays["mask"] = holes.seen(config)
    if config.problem == "semantic":
        arrays["target"] = table.target(config)
    if config.problem == "digits":
        data = digits()
        arrays["pixels"] = (data.images * 16).astype(np.uint8)
        arrays["labels"] = data.labels.astype(np.uint8)
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


def _own(config: Config) -> dict[str, Any]:
    """A user's picture, or the known entries of a user's matrix as the networks learn them.

    Raises:
        RunError: if it is not on this machine.
    """
    try:
        if config.problem == "own_picture":
            return {"pixels": own_picture.picture(config.dataset)}
        own = own_matrix.matrix(config.dataset)
    except DataError as error:
        raise RunError(str(error)) from None
    return {"places": own.places.astype(np.int32), "values": own.standard}


def _text(value: Any) -> str:
    return pprint.pformat(value, width=96, sort_dicts=False)


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 96, break_on_hyphens=False))
