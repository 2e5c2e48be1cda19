"""Lessons of five minutes: one file for each lesson, each with ``LESSON``."""
