"""Learning dynamics of deep linear networks: the original and the compressed one, side by side."""
