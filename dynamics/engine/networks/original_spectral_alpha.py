"""Original network with spectral start and α: wide, singular vectors, the compressed one's α"""

LIKE = "original_spectral"
ALPHA = "alpha"
