"""A second engine in plain NumPy: gradient descent on a masked loss, one product after another."""

import json
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SETTINGS = {
    "task": "mc",
    "d": 9,
    "r": 2,
    "rhat": 4,
    "depth": 3,
    "epsilon": 0.3,
    "alpha": 1.5,
    "optimizer": "gd",
}
ITERATIONS = range(0, 401, 20)


def trajectory(eta: float = 2.0) -> dict[str, Any]:
    """The arrays of a trajectory file of both networks."""
    draw = np.random.default_rng(1)
    u, s, v = np.linalg.svd(draw.standard_normal((9, 9)))
    target, mask = u[:, :2] * s[:2] @ v[:2], draw.random((9, 9)) < 0.7
    left, _, right = np.linalg.svd(mask * target)
    starts = {
        "original": [0.3 * np.linalg.qr(draw.standard_normal((9, 9)))[0] for _ in range(3)],
        "compressed": [0.3 * right[:4], 0.3 * np.eye(4), 0.3 * left[:, :4]],
    }
    arrays = {
        "config": json.dumps(SETTINGS | {"eta": eta}),
        "target": target,
        "mask": mask.astype(np.uint8),
    }
    arrays |= {"iteration": np.array(ITERATIONS)}
    for network, factors in starts.items():
        arrays |= {f"{network}_init_{i + 1}": factor for i, factor in enumerate(factors)}
        alpha = 1.5 if network == "compressed" else 1.0
        records = list(descend(factors, target, mask, alpha, eta))
        for name in records[0]:
            arrays[f"{network}_{name}"] = np.array([record[name] for record in records])
    return arrays


def descend(factors: list[Array], target: Array, mask: Array, alpha: float, eta: float) -> Any:
    """Measurements at each of the iterations."""
    factors = list(factors)
    for iteration in range(ITERATIONS[-1] + 1):
        w = multiplied(factors)
        if iteration in ITERATIONS:
            yield measured(w, factors, target, mask)
        slope = mask * (w - target) / mask.sum()
        gradients = [
            multiplied(factors[i + 1 :], 9).T @ slope @ multiplied(factors[:i], 9).T
            for i in range(len(factors))
        ]
        for i, gradient in enumerate(gradients):
            factors[i] = factors[i] - (alpha if i in (0, 2) else 1) * eta * gradient


def multiplied(factors: list[Array], size: int = 0) -> Array:
    """W_L ⋯ W_1; the identity for none."""
    return reduce(lambda below, above: above @ below, factors) if factors else np.eye(size)


def measured(w: Array, factors: list[Array], target: Array, mask: Array) -> dict[str, Any]:
    """All quantities of a trajectory file for the end-to-end matrix w."""
    u, s, v = np.linalg.svd(w)
    left, _, right = np.linalg.svd(target)
    error = (w - target) ** 2
    return {
        "train_loss": error[mask].mean() / 2,
        "test_loss": error[~mask].mean() / 2,
        "relative_error": np.sqrt(error.sum() / (target**2).sum()),
        "end_to_end_singular_values": s[:6],
        "layer_singular_values": [np.linalg.svd(factor)[1] for factor in factors],
        "left_angles": angles(u[:, :2], left[:, :2]),
        "right_angles": angles(v[:2].T, right[:2].T),
    }


def angles(one: Array, other: Array) -> Array:
    """Principal angles, largest first."""
    return np.arccos(np.clip(np.linalg.svd(one.T @ other)[1], -1, 1))[::-1]
