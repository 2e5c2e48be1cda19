"""Training: problems, networks, gradient steps, measurements. Needs torch.

Imports theory, core and data; knows no run folder and no chart.
"""
