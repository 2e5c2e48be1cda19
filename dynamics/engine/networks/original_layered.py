"""Original network layer by layer: the same numbers, by autograd through every factor in turn"""

LIKE = "original"
CLASSIFIES = True
LAYERED = True
