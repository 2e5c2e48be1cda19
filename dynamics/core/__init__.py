"""The plain nouns: Config, Record, Trajectory, and the lists of options. NumPy alone.

Imports data. ``config`` has every setting; ``registry`` names the eight folders in which each file
is an option.
"""
