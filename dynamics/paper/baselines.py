"""Baselines: what other methods make of a run's own ratings, computed once and kept in its folder.

``<run>/baselines.json`` has both losses of AltMin (rank r̂/2, with a ridge, from a random start)
after each half step, the held-out loss of the biases of users and films, and how much a different
split would change the losses. Without the ridge, AltMin learns its ratings by heart and fails on
the held-out ratings. Torch draws the split, so a separate process computes all of it:
``python -m dynamics.paper.baselines RUN``.
"""

import contextlib
import subprocess
import sys
from pathlib import Path

import numpy as np

from dynamics.core import altmin, registry
from dynamics.core.altmin import Array, Entries
from dynamics.core.config import Config
from dynamics.core.machine import files
from dynamics.core.machine.files import environment
from dynamics.data.folder import DataError
from dynamics.runs.run import Run, RunError

HALVES = 24  # half steps of AltMin
RIDGE = 1.0  # of AltMin, in squared stars
FILE = "baselines.json"
SIZES = {  # how many numbers it has of each kind
    "altmin_rank": 1,
    "altmin_train_loss": HALVES,
    "altmin_test_loss": HALVES,
    "biases_test_loss": 1,
    "split": 2,
}


class MissingError(RunError):
    """The baselines of a run have not been computed yet."""


def read(run: Run) -> dict[str, Array]:
    """``altmin_rank``, both losses of AltMin, ``biases_test_loss`` and ``split`` of a run.

    Raises:
        MissingError: if they have not been computed yet, or are damaged; ``compute`` computes them.
    """
    try:
        kept = files.parsed((run.folder / FILE).read_bytes())
        found = {name: np.array(kept[name], float) for name in SIZES}
    except (FileNotFoundError, KeyError, TypeError, ValueError, OverflowError):
        found = {}  # no file, a damaged one, or one of an older method that kept no rank
    whole = [found[name].shape == (size,) for name, size in SIZES.items() if found]
    if not whole or not all(whole) or not all(np.isfinite(each).all() for each in found.values()):
        raise MissingError("AltMin has not been computed from this run's ratings yet.")
    return found


def compute(run: Run) -> None:
    """Compute a run's baselines in a process of their own, unless they are in its folder.

    Raises:
        RunError: with one sentence, if they cannot be computed here.
    """
    with contextlib.suppress(MissingError):
        read(run)
        return
    done = subprocess.run(
        [sys.executable, "-m", "dynamics.paper.baselines", str(run.folder.resolve())],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env=environment(),
        check=False,
    )
    if done.returncode:
        raise RunError(done.stderr.strip().splitlines()[-1])


def computed(config: Config) -> dict[str, list[float]]:
    """The content of ``baselines.json`` for the ratings of a config.

    Raises:
        DataError: if the ratings are not on disk.
    """
    parts = registry.load("problems", config.problem).split(config)
    observed, held_out = (
        Entries(places[0].numpy(), places[1].numpy(), stars.numpy()) for places, stars in parts
    )
    rows, cols = config.shape
    rank = max(1, config.rank_bound // 2)
    start = np.random.default_rng(config.seed_init).random((cols, rank))  # above 0, like ratings
    halves = zip(range(HALVES), altmin.alternate(observed, start, rows, RIDGE), strict=False)
    losses = [
        (altmin.loss(observed, left, right), altmin.loss(held_out, left, right))
        for _, (left, right) in halves
    ]
    train, test = map(list, zip(*losses, strict=True))
    of_biases = altmin.loss(held_out, *altmin.biases(observed, (rows, cols)))
    return {
        "altmin_rank": [float(rank)],
        "altmin_train_loss": train,
        "altmin_test_loss": test,
        "biases_test_loss": [of_biases],
        "split": _scatter(observed.values, held_out.values),
    }


def _scatter(observed: Array, held_out: Array) -> list[float]:
    """½ mean square of all ratings, and its standard deviation over random held-out parts."""
    halves = np.concatenate([observed, held_out]) ** 2 / 2
    # The variance of a mean over held-out ratings, which are drawn without replacement, is the
    # variance of all ratings times this factor.
    factor = len(observed) / len(halves) / len(held_out)
    return [float(halves.mean()), float(halves.std(ddof=1) * np.sqrt(factor))]


def main() -> None:
    """Compute the baselines of the run whose folder is the only argument."""
    run = Run(Path(sys.argv[1]))
    try:
        run.write(FILE, computed(run.config))
    except (DataError, RunError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
