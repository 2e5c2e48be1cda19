"""Charts of a run: a file a chart, each with ``draw``."""
