"""The command line: one file for each command, with ``add`` and ``run``. Imports every room.

``add(commands)`` adds the command with its flags to the parser; ``run(options)`` carries it out and
returns the exit status. Modules that load torch or Plotly are imported inside functions, so that
``--help`` answers at once.
"""

# Exit statuses; 0 is success.
WRONG = 1  # a negative result
UNREADABLE = 2  # bad input
ENDED = 130  # Ctrl-C
