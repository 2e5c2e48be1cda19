"""The plain nouns: Config, Record, Trajectory, and the lists of options. NumPy alone.

Imports data.
"""
