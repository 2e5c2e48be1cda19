"""How deep linear networks learn: training, theory, and what comes of it.

Twelve rooms. Each may import those below it, none above:

    commands
    paper   teach   peers
    export
    draw
    runs
    engine   findings        (neither knows the other)
    theory
    core
    data

``tests/house/test_layers.py`` has the same as a table and reads every import against it.
"""
