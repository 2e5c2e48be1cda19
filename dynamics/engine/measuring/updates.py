"""Updates: W(t) − W(0) of every weight matrix, against itself and against its first gradient.

Weight matrices are those of the head, W_1 to W_L, then the backbone's. Here each is written as
outputs × inputs, so that its right singular vectors lie on the side of the images. K is the number
of classes. The first gradient is that at the start, of the training images that records read.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from dynamics.core.finite import finite
from dynamics.engine.losses.classification import Classification, Images, matrices
from dynamics.engine.measuring.leading import Triplets, leading
from dynamics.engine.measuring.state import State
from dynamics.engine.measuring.whole_loss import first_gradients
from dynamics.engine.problem import Task

EVERY = 5  # records between those that decompose the updates, which cost more than all the rest


class Update(NamedTuple):
    """What one weight matrix has moved.

    Attributes:
        matrix: W(t) − W(0), outputs × inputs.
        own: its first 2K singular triplets.
        gradient: the first 2K singular triplets of its first gradient, those above rounding.
    """

    matrix: Float[Tensor, "outputs inputs"]
    own: Triplets
    gradient: Triplets


def of_each(
    state: State, task: Task, number: Callable[[Update, int], Tensor]
) -> Float[Tensor, " weights"] | None:
    """One number of each weight matrix's update, from the update and K.

    NaN for a matrix that has not moved, and at records that do not decompose the updates; None if
    the task has no classes.
    """
    if not isinstance(task, Classification) or state.backbone is None:
        return None
    unknown = state.factors[0].new_full((), torch.nan)
    if not state.due(1, EVERY * task.record_every):
        return unknown.repeat(state.start.once(_count))
    classes = len(task.classes)
    found = state.once(_updates, task.recorded, 2 * classes)
    return torch.stack([unknown if each is None else number(each, classes) for each in found])


def _weights(state: State) -> list[Float[Tensor, "outputs inputs"]]:
    """The weight matrices of a network, those of the backbone only if it moves."""
    assert state.backbone is not None
    head = [factor.mT for factor in state.factors]
    return [*head, *(weight.detach().flatten(1) for _, weight in matrices(state.backbone))]


def _count(state: State) -> int:
    return len(_weights(state))


def _updates(state: State, images: Images, most: int) -> list[Update | None]:
    """The update of each weight matrix; None for one that has not moved."""
    pairs = zip(_weights(state), _weights(state.start), strict=True)
    moved = [now - before for now, before in pairs]
    if not any(bool(matrix.any()) for matrix in moved):
        return [None] * len(moved)
    gradients = state.start.once(_first_gradients, images, most)
    return [
        Update(matrix, leading(matrix, most).first(most), gradient) if matrix.any() else None
        for matrix, gradient in zip(moved, gradients, strict=True)
    ]


def _first_gradients(start: State, images: Images, most: int) -> list[Triplets]:
    return [_above_rounding(gradient, most) for gradient in first_gradients(start, images)]


def _above_rounding(gradient: Tensor, most: int) -> Triplets:
    """The first singular triplets; those of a value that rounding makes are left out."""
    triplets = Triplets(*torch.linalg.svd(finite(gradient), full_matrices=False)).first(most)
    least = triplets.values[0] * max(gradient.shape) * torch.finfo(gradient.dtype).eps
    return triplets.first(int((triplets.values > least).sum()))
