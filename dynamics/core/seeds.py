"""Seeds: what is shown of numbers over seeds; quartiles of many, each one of a few."""

import numpy as np

from dynamics.core.records import Array

FEW = 5  # seeds from which on quartiles are given; the quartiles of fewer say nothing of others
QUARTILES = (25, 50, 75)  # percentiles: lower quartile, median, upper quartile


def spread(values: Array) -> tuple[float, float] | None:
    """Lower and upper quartile of one number a seed; None if there are fewer than FEW."""
    if len(values) < FEW:
        return None
    low, _, high = np.percentile(values, QUARTILES)
    return float(low), float(high)


def shown(seeds: int) -> str:
    """What a number or a curve over so many seeds has beside its median."""
    return "quartiles" if seeds >= FEW else "each seed"
