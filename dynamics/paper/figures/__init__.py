"""The paper's figures: one file per figure, with its settings, ``draw`` and published numbers."""
