"""Losses of a matrix: on a dense matrix, on listed entries, on weighted sums."""
