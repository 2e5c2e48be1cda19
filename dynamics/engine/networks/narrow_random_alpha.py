"""Narrow network with random start and α: r̂ wide, random small factors, the compressed one's α"""

LIKE = "narrow_random"
ALPHA = "alpha"
