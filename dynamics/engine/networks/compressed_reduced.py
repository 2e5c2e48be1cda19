"""Compressed network by exact reduction: full target"""

LIKE = "compressed"
REDUCTION = "diagonal"  # simulates r̂ scalar recursions; the factors at each record are the same
