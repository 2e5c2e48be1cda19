"""The command line: ``python -m dynamics COMMAND``; ``--help`` lists the commands."""

import io
import os
import sys

from dynamics.commands import ENDED, UNREADABLE
from dynamics.core.machine import memory

NO_MEMORY = "This needs more memory than there is; a smaller matrix would fit."
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
    memory.check_numpy()
    from collections.abc import Sequence

    from dynamics.commands import flags
    from dynamics.commands.parser import parser
    from dynamics.core.config import ConfigError
    from dynamics.core.machine import files
    from dynamics.runs.run import RunError
except KeyboardInterrupt:  # while they are loaded
    _leave()
except Exception as error:
    if not memory.lacking(error):
        raise
    print(f"dynamics: {memory.NEED}", file=sys.stderr)
    sys.exit(UNREADABLE)


def _mute() -> None:
    """Nothing takes the output any more; Python would flush it at the exit, and fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0; 1 for a negative result, 2 for bad input, 130 if Ctrl-C ended it.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a letter shows its code
            stream.reconfigure(errors="backslashreplace")
    try:
        words = sys.argv[1:] if arguments is None else arguments
        options = parser(*words[:1]).parse_args(words)
        flags.set_data_folder(options)
        status = int(options.command(options))
        sys.stdout.flush()
        return status
    except MemoryError as error:
        said = str(error) if str(error).endswith(".") else NO_MEMORY
        print(f"dynamics: {said}", file=sys.stderr)
    except (ConfigError, RunError, ValueError) as error:
        print(f"dynamics: {error}", file=sys.stderr)
    except BrokenPipeError:  # the reader has gone, as with | head
        _mute()
    except OSError as error:
        refusal = memory.NEED if memory.lacking(error) else files.refusal(error, "the output")
        print(f"dynamics: {refusal}", file=sys.stderr)
        if not error.filename:
            _mute()
    except (ImportError, RuntimeError) as error:  # of torch
        if not memory.lacking(error):
            raise
        need = memory.NEED if isinstance(error, ImportError) else NO_MEMORY
        print(f"dynamics: {need}", file=sys.stderr)
    except KeyboardInterrupt as error:
        print(f"\ndynamics: {error}" if str(error) else INTERRUPTED, file=sys.stderr)
        return ENDED
    return UNREADABLE


if __name__ == "__main__":
    sys.exit(main())
