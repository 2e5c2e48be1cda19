"""Lessons of five minutes: a file a lesson, each with ``LESSON``."""
