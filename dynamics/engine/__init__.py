"""Training: problems, networks, gradient steps, measurements. Needs torch.

Imports theory, core and data; knows no run folder and no chart. A file in ``problems``,
``networks``, ``optimizers`` or ``measurements`` is an option: add one there, and menus, flags and
records have it.
"""
