"""The command line: ``python -m dynamics COMMAND``; ``--help`` lists the commands."""

import os
import sys

from dynamics.commands import ENDED, UNREADABLE

INTERRUPTED = "\ndynamics: Ctrl-C has ended it."


def _leave() -> None:
    print(INTERRUPTED, file=sys.stderr, flush=True)
    os._exit(ENDED)


def _hear(lost: "sys.UnraisableHookArgs") -> None:
    """End if Ctrl-C was pressed inside a callback of an import: Python would only print it."""
    if lost.exc_type is KeyboardInterrupt:
        _leave()
    sys.__unraisablehook__(lost)


if __name__ == "__main__":
    sys.unraisablehook = _hear

try:
    from collections.abc import Sequence

    from dynamics.commands import flags
    from dynamics.commands.parser import parser
    from dynamics.core.config import ConfigError
    from dynamics.runs.run import RunError
except KeyboardInterrupt:  # while they are loaded
    _leave()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0; 1 for a negative result, 2 for bad input, 130 if Ctrl-C ended it.
    """
    try:
        options = parser().parse_args(arguments)
        flags.set_data_folder(options)
        status = int(options.command(options))
        sys.stdout.flush()
        return status
    except (ConfigError, RunError, ValueError) as error:
        print(f"dynamics: {error}", file=sys.stderr)
    except BrokenPipeError:  # the reader has gone, as with | head; the exit must not flush again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"dynamics: {error.filename}: {error.strerror}.", file=sys.stderr)
    except KeyboardInterrupt as error:
        print(f"\ndynamics: {error}" if str(error) else INTERRUPTED, file=sys.stderr)
        return ENDED
    return UNREADABLE


if __name__ == "__main__":
    sys.exit(main())
