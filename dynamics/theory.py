"""Theory: what is known of the learning dynamics without training; plain numbers, no torch."""


def stability_limit(depth: int, alpha: float, curvature: float, largest: float) -> float:
    """η* = 2/λ_max with λ_max = c L α^(2/L) s_1^(2 − 2/L), above which descent cannot converge.

    Exact for a full target; for masked and random measurements c is the mean curvature and the
    limit an estimate, never more than a few per cent too low.

    Args:
        depth: L.
        alpha: α, the factor by which the outer factors move faster.
        curvature: c of the loss (c/2)·‖W − M*‖².
        largest: s_1, the target's largest singular value.
    """
    return float(2 / (curvature * depth * alpha ** (2 / depth) * largest ** (2 - 2 / depth)))
