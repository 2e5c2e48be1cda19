"""Damaged files that some runs have beside their records: read, or as if they were not there."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.paper import baselines
from dynamics.runs import completed, films, pictures
from dynamics.runs.completed import Best
from dynamics.runs.run import Run
from tests.support.make import small
from tests.support.strange import STRANGE, mutated, put

ROWS, COLS = small().shape
RNG = np.random.default_rng(0)
FILMS = films.Films(30, 0.9, 0.4, RNG.random(7, np.float32), RNG.random((3, COLS), np.float32))
BEST = {
    name: Best(30, 0.5, RNG.random((ROWS, width)), RNG.random((width, COLS)))
    for name, width in (("original", COLS), ("compressed", 4))
}
BASELINES = {name: [1.5] * size for name, size in baselines.SIZES.items()}


@st.composite
def damages(draw: st.DrawFn) -> tuple[str, int, int, Any]:
    """A file, a seed, and of a JSON the place of a strange value; -1 for bytes that change."""
    name = draw(st.sampled_from([films.FILE, completed.NAME, baselines.FILE, "still.u1"]))
    place = draw(st.integers(-1, 60)) if name == baselines.FILE else -1
    return name, draw(st.integers(0, 10**9)), place, draw(st.sampled_from(STRANGE))


def written(folder: Path) -> Run:
    """A run with these files, and nothing but its settings beside them."""
    run = Run(folder / small().key)
    run.folder.mkdir(parents=True, exist_ok=True)
    run.write("config.json", small().to_dict())
    films.keep(run, FILMS)
    completed.write(run, BEST)
    run.write(baselines.FILE, BASELINES)
    (run.folder / "still.u1").write_bytes(bytes(5 * ROWS * COLS))
    return run


def survive(folder: Path, damage: tuple[str, int, int, Any]) -> None:
    """What is read has the sizes and the finite numbers that its readers count on."""
    name, seed, place, strange = damage
    run = written(folder)
    file = run.folder / name
    if place < 0:
        file.write_bytes(mutated(file.read_bytes(), seed))
    else:
        file.write_text(json.dumps(put(BASELINES, place, strange)), encoding="utf-8")
    of_films = films.best(run)
    if of_films is not None:
        assert of_films.features.shape[1] == COLS and np.isfinite(of_films.features).all()
    for best in completed.read(run).values():
        assert (best.left @ best.right).shape == (ROWS, COLS)
    try:
        kept = baselines.read(run)
    except baselines.MissingError:
        kept = {}
    assert all(len(kept[name]) == size for name, size in baselines.SIZES.items() if kept)
    still = pictures.still(run)
    assert still is None or still.truth.shape == (ROWS, COLS)


def test_what_is_whole_is_read(tmp_path: Path) -> None:
    run = written(tmp_path)
    found = films.best(run)
    assert found is not None and np.array_equal(found.features, FILMS.features)
    assert {*completed.read(run)} == {*BEST} and {*baselines.read(run)} == {*BASELINES}
    assert pictures.still(run) is not None


@settings(max_examples=200, deadline=None)
@given(damage=damages())
def test_damaged_extras_are_read_or_as_if_they_were_not_there(
    tmp_path_factory: pytest.TempPathFactory, damage: tuple[str, int, int, Any]
) -> None:
    survive(tmp_path_factory.getbasetemp() / "extras", damage)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=5000, deadline=None)
@given(damage=damages())
def test_thousands_of_damaged_extras_are_read_or_as_if_they_were_not_there(
    tmp_path_factory: pytest.TempPathFactory, damage: tuple[str, int, int, Any]
) -> None:
    survive(tmp_path_factory.getbasetemp() / "extras", damage)
