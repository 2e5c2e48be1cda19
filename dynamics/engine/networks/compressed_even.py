"""Compressed network without α: r̂ wide, spectral start, the original's α₀"""

LIKE = "compressed"
ALPHA = "alpha_original"
