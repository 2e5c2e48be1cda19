"""Facts: what theory needs to know about a problem and its networks; a run keeps them.

A web process has no torch. It asks ``python -m dynamics.engine.training.facts``, which reads
settings as JSON and prints their facts.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from dynamics.core import registry, traits
from dynamics.core.config import Config
from dynamics.core.finite import finite
from dynamics.core.machine import memory
from dynamics.core.sizes import wide
from dynamics.data.folder import DataError
from dynamics.engine import device
from dynamics.engine.losses.classification import Classification
from dynamics.engine.network import Network, build
from dynamics.engine.problem import Recovery
from dynamics.theory import original, plateau

SOME = 1000  # training images of which a backbone's kernel is measured
PART = 250  # images whose gradients are kept together
NOTHING = 1e-6  # share of all directions below which one is left out
MOST_MODES = 50  # largest r for which a run keeps the overlap, which has r × r numbers
MOST_SIDE = 500  # largest side for which the original network is drawn in advance for its overlap


def known(config: Config, problem: Recovery, networks: Mapping[str, Network]) -> dict[str, Any]:
    """Singular values of −∇loss(0), and the overlap of an orthogonal start with the target."""
    count = max(config.rank, config.rank_bound)
    facts: dict[str, Any] = {"surrogate_singular_values": problem.surrogate(count)[1].tolist()}
    kinds = {name: traits.network(name) for name in networks}
    random = [name for name in kinds if not (kinds[name].narrow or kinds[name].spectral)]
    if random and overlapping(config):  # all wide networks with a random start have the same start
        target = problem.target
        factors = networks[random[0]].factors
        if target is not None and target.exact and all(map(torch.count_nonzero, factors)):
            left, right = (part.numpy(force=True) for part in (target.left, target.right))
            start = [factor.numpy(force=True) for factor in factors]
            facts["overlap"] = original.overlap(start, left, right).tolist()
    return facts


def starting(
    config: Config, problem: Classification, networks: Mapping[str, Network]
) -> dict[str, Any]:
    """What ``plateau.plateau`` needs to know where classes are told apart; nothing for many.

    ``gradient_moments`` are C = (1/n) Σ h hᵀ of the training images that records read, in
    orthonormal directions that span u_i and C u_i. ``start_overlaps`` tell of each of the
    ``random_starts`` how it lies to them and to v_i. ``backbone_kernel`` is that of ``kernel``, for
    a backbone that learns.
    """
    count = config.shape[1] - 1
    if not 0 < count <= MOST_MODES:
        return {}
    left, _, right = (part.double() for part in problem.surrogate(count))
    features = problem.features("train").double()
    reached = features.mT @ (features @ left)
    outside = torch.linalg.svd(finite(reached - left @ (left.mT @ reached)), full_matrices=False)
    known = outside[1] > NOTHING * outside[1].sum()
    left = torch.cat([left, outside[0][:, known]], 1)
    seen = features @ left
    found = []
    for name in plateau.random_starts(config):
        like = next(each for each in networks if name in (each, traits.network(each).like))
        first, *others = (each.double() / config.init_scale for each in networks[like].factors)
        back = left
        for factor in reversed(others):
            back = factor.mT @ back
        both = torch.cat([first @ right.mT, back], 1)
        found.append(_told(both.mT @ both))
    facts: dict[str, Any] = {
        "gradient_moments": _told(seen.mT @ seen / len(seen)),
        "start_overlaps": found,
    }
    network = next(iter(networks.values()))
    if network.paces and not problem.hidden:
        facts["backbone_kernel"] = _told(kernel(problem, network).double())
    return facts


def kernel(problem: Classification, network: Network) -> Float[Tensor, "modes modes"]:
    """⟨∇s_i, ∇s_j⟩ of the singular values s_i of −∇loss(W = 0), by the backbone's parameters.

    Of at most SOME training images; α₁ multiplies the part of the first matrix.
    """
    assert network.backbone is not None
    left, _, right = problem.surrogate(problem.shape[1] - 1)
    aims = (right - right.mean(1, keepdim=True)).mT
    parameters = [parameter for parameter, _ in network.paces]
    images = problem.training.first(SOME)
    slopes = [[torch.zeros_like(each) for each in parameters] for _ in right]
    parts = (torch.split(each, PART) for each in (images.pixels, images.labels))
    for pixels, labels in zip(*parts, strict=True):
        with torch.enable_grad():
            values = (network.backbone(pixels) @ left * aims[labels]).sum(0) / len(images)
        for value, slope in zip(values, slopes, strict=True):
            found = torch.autograd.grad(value, parameters, retain_graph=True)
            for total, part in zip(slope, found, strict=True):
                total.add_(part)
    paces = torch.cat([left.new_full((each.numel(),), pace) for each, pace in network.paces])
    rows = torch.stack([torch.cat([part.flatten() for part in slope]) for slope in slopes])
    return (rows * paces) @ rows.mT


def _told(matrix: Tensor) -> list[list[float]]:
    """The rows of a matrix, each number with six digits."""
    return [[float(f"{x:.6g}") for x in row] for row in matrix.tolist()]


def overlapping(config: Config) -> bool:
    """Whether the overlap describes the original network's start: square orthogonal factors."""
    rows, cols = config.shape
    width = config.width or min(config.shape)
    square = rows == cols == width and config.initialization == "orthogonal"
    return square and config.rank <= MOST_MODES and 2 * config.rank <= width


def look(config: Config) -> dict[str, Any]:
    """Returns the facts of the config's problem, which is drawn but not trained.

    From now on this process uses one thread, see ``device.use_threads``.

    Raises:
        ValueError: if the settings do not fit the data.
        MemoryError: if they do not fit the machine.
    """
    device.use_threads()
    problem = registry.load("problems", config.problem).make(
        config, torch.empty(0, dtype=torch.float64)
    )
    networks: dict[str, Network] = {}
    if traits.problem(config.problem).classifies:
        networks = {name: build(name, config, problem) for name in config.networks}
        return {**problem.facts, **starting(config, problem, networks)}
    if wide(config) and overlapping(config) and max(config.shape) <= MOST_SIDE:
        networks["original"] = build("original", config, problem)
    return {**problem.facts, **known(config, problem, networks)}


def main() -> int:
    """Print the facts of the settings that standard input has; 2 after a sentence of why not."""
    try:
        memory.check()
        print(json.dumps(look(Config.from_dict(json.load(sys.stdin)))))
    except (DataError, MemoryError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
