"""Making: ``python -m pages.shared.files.making FILE`` writes a file that a page offers.

It is a process of its own, because a run may have more records than the web process may hold. It
reads the job as JSON from its input; an error is one sentence on stderr and status 2.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from dynamics.core.config import ConfigError
from dynamics.core.machine import files
from dynamics.export import completed, export, sweeps, tables
from dynamics.runs.run import Run, RunError, find, root
from dynamics.runs.sweep import SweepFolder

Job = Mapping[str, Any]
NICENESS = 5  # as a worker's: the web process answers first


def numbers(
    keys: list[str], form: str, name: str = "", more: Mapping[str, str] | None = None
) -> Job:
    """All numbers of a run in a format of ``DATA``; of several runs, as a zip called ``name``.

    Args:
        keys: of the runs.
        form: the format.
        name: the name of the zip without its ending; of one run, the usual one if empty.
        more: texts of further files in the zip, by name.
    """
    return {"what": "numbers", "keys": keys, "form": form, "name": name, "more": dict(more or {})}


def completion(key: str, form: str) -> Job:
    """A user's matrix as the run fills it."""
    return {"what": "completion", "keys": [key], "form": form}


def series(labels: Mapping[str, str], name: str) -> Job:
    """One series of several runs with its clocks, as CSV; ``labels`` are the runs' own, by key."""
    return {"what": "series", "keys": [*labels], "labels": [*labels.values()], "name": name}


def sweep(key: str, form: str) -> Job:
    """All runs of a sweep with their outcomes."""
    return {"what": "sweep", "keys": [key], "form": form}


def figure(name: str, draw: Mapping[str, Any], form: str) -> Job:
    """A figure of the paper, judged, as JSON or as a zip with all its numbers."""
    return {"what": "figure", "keys": [], "name": name, "draw": dict(draw), "form": form}


def _runs(job: Job) -> list[Run]:
    return [find(key, root()) for key in job["keys"]]


def _numbers(job: Job, file: IO[bytes]) -> None:
    runs = _runs(job)
    if job["name"]:
        more = {name: text.encode() for name, text in job["more"].items()}
        tables.write_bundle(runs, job["name"], file, more)
    else:
        export.write(runs[0], job["form"], file)


def _completion(job: Job, file: IO[bytes]) -> None:
    file.write(completed.content(_runs(job)[0], job["form"]))


def _series(job: Job, file: IO[bytes]) -> None:
    head = ["network", "step", "seconds", "operations", job["name"], "run"]
    tables.write_rows(list(zip(_runs(job), job["labels"], strict=True)), head, file)


def _sweep(job: Job, file: IO[bytes]) -> None:
    now = SweepFolder(root(), job["keys"][0]).progress()
    file.write(sweeps.content(now.results, now.failed, job["form"]))


def _figure(job: Job, file: IO[bytes]) -> None:
    from dynamics.paper.content import write  # imported late: only this job needs it
    from dynamics.paper.judge import judge
    from dynamics.paper.plan import Draw, Plan

    plan = Plan.of(job["name"], Draw(**job["draw"]))
    write(judge(plan, root()), job["form"], file)


MAKERS: Mapping[str, Callable[[Job, IO[bytes]], None]] = {
    "numbers": _numbers,
    "completion": _completion,
    "series": _series,
    "sweep": _sweep,
    "figure": _figure,
}


def main() -> int:
    """Do the job on the input; returns the exit status."""
    os.nice(NICENESS)
    job = json.load(sys.stdin)
    try:
        with open(Path(sys.argv[1]), "wb") as file:
            MAKERS[job["what"]](job, file)
    except (ConfigError, RunError, ValueError) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"The file cannot be made: {files.refusal(error, 'the disk')}", file=sys.stderr)
    except MemoryError:
        print("The file needs more memory than this machine has left.", file=sys.stderr)
    else:
        return 0
    return 2


if __name__ == "__main__":
    sys.exit(main())
