"""Engines: the fastest form of the gradient steps for a network and a problem.

``Descent`` is the plain form and always applies; all others take the same steps, to rounding.
A reduction is no such form: it is taken only where a network asks for it by name.
"""

from types import ModuleType

from dynamics.engine.network import Network
from dynamics.engine.problem import Problem
from dynamics.engine.steps.compiled import EntriesKernel, FactoredKernel
from dynamics.engine.steps.cuda_graph import GraphDescent
from dynamics.engine.steps.factored import FactoredDescent
from dynamics.engine.steps.plain import Descent
from dynamics.engine.steps.reduced import REDUCTIONS
from dynamics.engine.steps.replayed import ReplayedDescent

# The first that applies is taken.
FASTER = (FactoredKernel, FactoredDescent, EntriesKernel, ReplayedDescent, GraphDescent)


def fastest(
    network: Network, problem: Problem, optimizer: ModuleType, learning_rate: float
) -> Descent:
    """Steps of ``network`` on ``problem``; the arguments are those of ``Descent``.

    Raises:
        ValueError: if the network asks for a reduction that does not hold for it.
    """
    if network.reduction:
        return REDUCTIONS[network.reduction](network, problem, optimizer, learning_rate)
    for engine in FASTER:
        if engine.applies(network, problem, optimizer):
            return engine(network, problem, optimizer, learning_rate)
    return Descent(network, problem, optimizer, learning_rate)
