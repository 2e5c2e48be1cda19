"""Measurements: one file per measurement, each with a function ``measure``."""
