"""Lessons: predict, run, explain, try. Imports findings, theory and core."""
