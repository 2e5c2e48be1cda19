"""Original network by exact reduction: full target, orthogonal start"""

LIKE = "original"
REDUCTION = "core"  # a network 2r wide; the same factors at each record
