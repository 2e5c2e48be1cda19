"""How deep linear networks learn: training, theory, and what comes of it.

Twelve rooms. Each may import those below it, none above:

    commands                the command line
    paper   teach   peers   the paper's figures; lessons; other people's code
    export                  charts and numbers as files
    draw                    charts
    runs                    a run is a folder that a worker fills
    engine   findings       training; what a finished run shows (neither knows the other)
    theory                  what is known without training
    core                    settings, records, the lists of options
    data                    data sets

``tests/house/test_layers.py`` has the same as a table and reads every import against it;
``docs/architecture.md`` is the map with the trips that data takes.

``from dynamics import watch`` records anybody's training loop: see ``runs/watch.py``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynamics.runs.watch import watch as watch


def __getattr__(name: str) -> Any:
    """``watch``, imported when it is asked for: ``import dynamics`` loads nothing else."""
    if name == "watch":
        from dynamics.runs.watch import watch

        return watch
    raise AttributeError(f"module 'dynamics' has no attribute {name!r}")
