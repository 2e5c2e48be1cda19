"""Original network by exact reduction: full target, orthogonal start"""

LIKE = "original"
REDUCTION = "core"  # simulates a network 2r wide; the factors at each record are the same
