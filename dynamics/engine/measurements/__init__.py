"""What is recorded: a file a measurement, each with ``measure``."""
