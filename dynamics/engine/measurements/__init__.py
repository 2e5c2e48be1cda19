"""Measurements: one file for each, with ``measure``."""
