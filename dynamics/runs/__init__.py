"""A run is a folder: one worker fills it, everybody else reads it.

Imports findings, engine, core and data. Only the worker and the checkpoints touch the engine, and
only when they run. A new worker is a process of its own, ``python -m dynamics.runs.worker``: no
import shows that arrow.
"""
