"""Fastest: the fastest form of the gradient steps for a network and a problem.

All forms make the same steps, up to rounding. A reduction is not among them: it is used only where
a network asks for it by name.
"""

from types import ModuleType

from dynamics.engine.network import Network
from dynamics.engine.problem import Task
from dynamics.engine.steps.compiled import EntriesKernel, FactoredKernel
from dynamics.engine.steps.cuda_graph import GraphDescent
from dynamics.engine.steps.factored import FactoredDescent
from dynamics.engine.steps.interface import Steps
from dynamics.engine.steps.layered import LayeredDescent
from dynamics.engine.steps.plain import Descent
from dynamics.engine.steps.reduced import REDUCTIONS
from dynamics.engine.steps.replayed import ReplayedDescent
from dynamics.engine.steps.thin import ThinDescent

FORMS: tuple[type[Steps], ...] = (  # the first that applies is used; the last one always applies
    FactoredKernel,
    FactoredDescent,
    EntriesKernel,
    ReplayedDescent,
    GraphDescent,
    LayeredDescent,
    ThinDescent,
    Descent,
)


def fastest(network: Network, problem: Task, optimizer: ModuleType, learning_rate: float) -> Steps:
    """Returns steps of ``network`` on ``problem``; the arguments are those of ``Steps``.

    Raises:
        ValueError: if the network asks for a reduction that does not hold for it.
    """
    if network.reduction:
        return REDUCTIONS[network.reduction](network, problem, optimizer, learning_rate)
    form = next(form for form in FORMS if form.applies(network, problem, optimizer))
    return form(network, problem, optimizer, learning_rate)
