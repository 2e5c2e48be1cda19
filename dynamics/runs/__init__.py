"""A run is a folder, ``runs/KEY``: one worker writes it, everybody else reads it.

Imports findings, engine, core and data. ``worker`` with its ``writer`` writes the folder, ``run``
reads it, ``start`` and ``queue`` decide when a worker begins, ``group`` has several runs trained.
Only worker, writer, checkpoints and watch touch the engine, and only when they run. ``watch`` with
its ``recording`` fills the folder of a run that another program trains. A worker is a
separate process: ``launcher`` forks it from one that has loaded torch, or starts
``python -m dynamics.runs.worker``.
"""
