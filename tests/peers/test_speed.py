"""The benchmark times engines that take the same steps, and prints what its readers parse."""

import importlib.util
import json
import subprocess
import sys

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from dynamics.core.registry import load
from dynamics.engine.kernels import library
from dynamics.engine.steps.plain import Descent
from dynamics.peers.rivals import ENGINES, Arrays
from dynamics.peers.speed import REFERENCE, Case, Row, bench

SENSING = REFERENCE[3]
jax = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None,
    reason="jax is not installed (requirements-bench.txt has it)",
)


@pytest.mark.parametrize("network", ["original", "compressed"])
@pytest.mark.parametrize("case", REFERENCE, ids=lambda case: case.name)
@pytest.mark.parametrize("peer", ["uncompiled", "torch", pytest.param("jax", marks=jax)])
def test_peers_take_the_same_steps(case: Case, network: str, peer: str) -> None:
    """What is compared must be the same computation: losses after 120 steps agree."""
    losses = []
    for engine in ("dynamics", peer):
        run = ENGINES[engine](case.comparisons(network)[0], network)
        if run is None:  # without a compiler this program does the same there
            return
        run(70)
        losses.append(run(50))
    if case is SENSING:  # its held-out quantity is a distance, which the peers leave out
        losses = [each[:1] for each in losses]
    assert losses[0] == pytest.approx(losses[1], rel=1e-9)


def test_whole_arrays_of_a_listed_completion_are_those_of_the_dense_one() -> None:
    """The peers' arrays come from the same observed entries."""
    case = Case("listed", {"rows": 520, "cols": 510, "observed": 0.05})
    ours, whole = (
        Arrays.of(case.comparisons(network)[0].problem) for network in ("compressed", "original")
    )
    assert ours.mask is not None and whole.mask is not None
    torch.testing.assert_close(ours.given, whole.given)
    assert torch.equal(ours.mask, whole.mask)


def test_the_floor_makes_the_products_of_a_step() -> None:
    """Operations of its products, counted by torch, are those that a step is said to have."""
    for case in (*REFERENCE[:3], Case("deep", {"depth": 6})):
        for network in ("original", "compressed"):
            comparison = case.comparisons(network)[0]
            run = ENGINES["floor"](comparison, network)
            assert run is not None
            with FlopCounterMode(display=False) as counter:
                run(1)
            plain = load("optimizers", "gradient_descent")
            descent = Descent(comparison.networks[network], comparison.problem, plain, 0.1)
            assert counter.get_total_flops() == descent.operations


def test_rows_are_measured_for_every_engine() -> None:
    """Each engine that is there has a row, with a speed above nothing."""
    rows = [row for row, first in bench(quick=True, only="sensing") if first > 0]
    names = {row.engine for row in rows}
    assert {"dynamics", "torch", "floor"} <= names
    assert len(rows) == 2 * len(names)
    assert all(row.steps_per_second > 0 and row.repeats == 3 for row in rows)


def test_without_a_compiler_narrow_networks_alone_take_other_steps() -> None:
    """Plain torch makes the steps of the compiled code, but not for sensing."""
    if library(10, torch.float64) is None:
        pytest.skip("there is no compiler")
    other = {
        (case.name, network)
        for case in REFERENCE
        for network in case.networks
        if ENGINES["uncompiled"](case.comparisons(network)[0], network)
    }
    assert other == {(case.name, "compressed") for case in REFERENCE[:3]}


@pytest.mark.slow
def test_json_has_the_published_fields() -> None:
    """Other programs read it: the keys are a promise."""
    command = [sys.executable, "-m", "dynamics", "bench", "--quick", "--json", "--only", "d60"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    content = json.loads(done.stdout)
    assert set(content) == {"machine", "rows"}
    assert {tuple(row) for row in content["rows"]} == {tuple(Row.__dataclass_fields__)}
    cases, case = {row["case"] for row in content["rows"]}, "completion_d60_r4_L2"
    assert case in cases <= {case, f"{case}_uncompiled"}
    engines = {row["engine"] for row in content["rows"]}
    assert {"dynamics", "torch", "floor"} <= engines <= {"dynamics", "jax", "torch", "floor"}
