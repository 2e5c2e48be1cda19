"""What is learned: a file a problem, each with ``make``."""
