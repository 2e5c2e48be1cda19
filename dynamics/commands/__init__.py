"""The command line: one file a command, each with ``add`` and ``run``. Imports every room.

``add(commands)`` adds the command with its flags to the parser; ``run(options)`` carries it out and
returns the exit status. What loads torch or Plotly is imported inside ``run``, so that ``--help``
answers at once.
"""

# Exit statuses; 0 is success.
WRONG, UNREADABLE, ENDED = 1, 2, 130  # a negative result, bad input, Ctrl-C
