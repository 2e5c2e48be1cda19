"""Original network with α: wide, random start, the compressed one's α"""

LIKE = "original"
ALPHA = "alpha"
