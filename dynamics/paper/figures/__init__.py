"""The paper's figures: a file a figure, each with its settings, ``draw`` and published numbers."""
