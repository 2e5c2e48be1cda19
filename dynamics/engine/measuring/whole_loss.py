"""Whole loss: the training loss as a function of all weights at once, by autograd.

The gradient steps have closed forms for the head. What is measured of all weights together, the
first gradient of each and the largest curvature, needs the backbone's graph anyway.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from dynamics.core.finite import NotFiniteError, finite
from dynamics.engine.around import Around
from dynamics.engine.draws import generator
from dynamics.engine.losses.classification import Images, matrices
from dynamics.engine.measuring.state import State

PART = 500  # images whose graph is in memory together
TOLERANCE = 1e-4  # relative error of the largest eigenvalue
MOST = 50  # restarts of Lanczos, of about ten products each


def first_gradients(state: State, images: Images) -> list[Float[Tensor, "outputs inputs"]]:
    """∂loss/∂W of every weight matrix on these images, as outputs × inputs.

    First those of the head, W_1 to W_L, then those of the backbone if it moves.
    """
    assert state.backbone is not None
    factors = _leaves(state)
    weights = [*factors, *(weight for _, weight in matrices(state.backbone))]
    totals = [torch.zeros_like(weight) for weight in weights]
    parts = (torch.split(each, PART) for each in (images.pixels, images.labels))
    for pixels, labels in zip(*parts, strict=True):
        loss = _loss(state.backbone, factors, Images(pixels, labels))
        for total, gradient in zip(totals, torch.autograd.grad(loss, weights), strict=True):
            total.add_(gradient, alpha=len(labels) / len(images))
    head, body = totals[: len(factors)], totals[len(factors) :]
    return [*(gradient.mT for gradient in head), *(gradient.flatten(1) for gradient in body)]


def sharpness(state: State, images: Images, paces: Sequence[float] = ()) -> float:
    """λ_max of the Hessian of the loss of these images, in all parameters that move.

    The largest eigenvalue and not the largest in size: on a plateau, which is a saddle, that one is
    negative. By Lanczos from a fixed random start, with products of the Hessian by autograd; NaN if
    it does not converge or they are not finite. A head that is evaluated another way has the same
    Hessian.

    With ``paces``, one for each of these parameters, it is that of D^½ H D^½: gradient descent in
    which a parameter moves by its pace times η is stable while η times it is below 2.
    """
    # Not at the top: SciPy's sparse solvers take time to load, and most runs do not ask.
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    assert state.backbone is not None
    factors = _leaves(state)
    moving = [each for each in state.backbone.parameters() if each.requires_grad]
    parameters = [*factors, *moving]
    with sdpa_kernel(SDPBackend.MATH):  # the other forms of attention have no second derivative
        loss = _loss(state.backbone, factors, images)
        gradient = _flat(torch.autograd.grad(loss, parameters, create_graph=True))

    def product(vector: NDArray[np.floating]) -> NDArray[np.floating]:
        direction = roots * torch.from_numpy(vector.ravel()).to(gradient)
        pulled = torch.autograd.grad(
            gradient, parameters, direction, retain_graph=True, materialize_grads=True
        )
        return finite((roots * _flat(pulled)).numpy(force=True))

    sizes = zip(parameters, paces or (1.0,) * len(parameters), strict=True)
    roots = torch.cat([gradient.new_full((each.numel(),), pace**0.5) for each, pace in sizes])
    count = len(gradient)
    first = torch.randn(count, generator=generator("sharpness", 0), dtype=torch.float64)
    start = first.to(gradient.dtype).numpy()
    hessian = LinearOperator((count, count), product, dtype=start.dtype)
    try:
        values = eigsh(
            hessian, 1, which="LA", v0=start, tol=TOLERANCE, maxiter=MOST, return_eigenvectors=False
        )
    except (ArpackNoConvergence, NotFiniteError):
        return float("nan")
    return float(values[0])


def _leaves(state: State) -> list[Tensor]:
    return [factor.detach().clone().requires_grad_() for factor in state.factors]


def _loss(backbone: nn.Module, factors: list[Tensor], images: Images) -> Tensor:
    """The mean cross-entropy of h(x) W, with W multiplied from its narrow side."""
    if isinstance(backbone, Around):
        scores = backbone.scores(backbone(images.pixels), factors)
        return nn.functional.cross_entropy(scores, images.labels)
    matrix = factors[0]
    for factor in factors[1:]:
        matrix = factor @ matrix
    return nn.functional.cross_entropy(backbone(images.pixels) @ matrix, images.labels)


def _flat(parts: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([part.reshape(-1) for part in parts])
