"""The paper's figures: the runs they need, their numbers beside ours, a verdict.

Imports export, draw, runs, core and data. A file in ``figures`` is a figure of the paper.
"""
