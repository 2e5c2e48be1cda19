"""Lessons: predict, run, explain, try. A file in ``lessons`` is a lesson.

Imports findings, theory and core.
"""
