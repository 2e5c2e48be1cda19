"""Our charts, each described once as a Plotly figure whose traces name the columns that they draw.

Imports runs, findings, theory and core.
"""
