"""Charts and numbers as files. Whatever is written to disk for a user is made here.

Imports draw, runs, findings, theory, core and data. ``picture`` turns a chart into PDF, SVG, PNG,
TikZ or a film: ``layout`` lays it out for print, ``render`` and ``tikz`` write the file. ``export``
turns a run into any format.
"""
