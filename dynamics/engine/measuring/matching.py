"""Matching: the modes of the target that a network's singular vectors identify."""

from torch import Tensor

from dynamics.engine.target import Target
from dynamics.theory.matching import identified


def known(left: Tensor, values: Tensor, right: Tensor, target: Target) -> dict[int, int]:
    """The places, from 0, of the modes that singular vectors identify; see ``identified``.

    Args:
        left: rows × n, the network's left singular vectors.
        values: at least n singular values, largest first.
        right: n × cols, the network's right singular vectors.
        target: M* with the triplets u_j*, v_j* and their singular values.
    """
    count = min(len(values), left.shape[1])
    cosines = (left[:, :count].mT @ target.left) * (right[:count] @ target.right.mT)
    parts = (cosines, values, target.values)
    return identified(*(part.numpy(force=True) for part in parts))
