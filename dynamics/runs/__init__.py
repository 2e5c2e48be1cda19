"""A run is a folder, ``runs/KEY``: one worker writes it, everybody else reads it.

Imports findings, engine, core and data. ``worker`` with its ``writer`` writes the folder, ``run``
reads it, ``start`` and ``queue`` decide when a worker begins, ``group`` has several runs trained.
Only worker, writer and checkpoints touch the engine, and only when they run. A new worker is a
separate process, ``python -m dynamics.runs.worker``, so no import shows that ``start`` calls it.
"""
