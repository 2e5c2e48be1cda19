"""Other people's code: we retrain their trajectories and race their loops.

Imports engine, core and data.
"""
