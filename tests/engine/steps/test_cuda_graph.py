"""The graph's bookkeeping makes exactly the steps asked for; on a GPU its replay does too."""

import copy

import pytest
import torch

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.engine.network import Network
from dynamics.engine.steps.cuda_graph import STEPS, WARM, GraphDescent
from dynamics.engine.steps.plain import Descent
from dynamics.engine.training.comparison import prepare

PLAIN = registry.load("optimizers", "gradient_descent")
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
    ),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("problem", ["completion", "factorization", "sensing"])
def test_steps_by_graph_equal_the_plain_path(device: str, problem: str) -> None:
    """Calls shorter and longer than a graph, and another rate, which is part of a graph."""
    config = Config(
        problem=problem, rows=30, cols=30, measurements=500, device=device, init_scale=0.3,
        learning_rate=0.2, rate_unit="limit",
    )  # fmt: skip
    comparison = prepare(config)
    for network in comparison.networks.values():
        plain = Network(copy.deepcopy(network.factors), network.alpha)
        rate = comparison.learning_rate
        graph, wanted = (
            engine(each, comparison.problem, PLAIN, rate)
            for engine, each in ((GraphDescent, network), (Descent, plain))
        )
        for count in (1, WARM, WARM + STEPS - 1, WARM + 3 * STEPS + 4, 2 * STEPS, STEPS - 1):
            graph.step(count)
            wanted.step(count)
        for each in (graph, wanted):
            each.learning_rate = rate / 2
            each.step(50)
        for ours, theirs in zip(network.factors, plain.factors, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12 * float(theirs.abs().max()))


def test_a_graph_is_for_plain_descent_on_a_gpu() -> None:
    """Elsewhere there is nothing to gain, and Adam's count lives on the host."""
    comparison = prepare(Config(rows=20, cols=20, rank=2, rank_bound=4, device="cpu"))
    network = comparison.networks["original"]
    assert not GraphDescent.applies(network, comparison.problem, PLAIN)
