"""Optimizers: one file for each, with ``direction``, which turns a gradient into a step."""
