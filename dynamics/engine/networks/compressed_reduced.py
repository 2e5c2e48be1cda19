"""Compressed network by exact reduction: full target"""

LIKE = "compressed"
REDUCTION = "diagonal"  # r̂ scalar recursions; the same factors at each record
