"""Charts, each described once as a Plotly figure whose traces name the columns that they draw.

Imports runs, findings, theory and core. A file in ``charts`` is a chart: add one there. ``export``
makes files of them.
"""
