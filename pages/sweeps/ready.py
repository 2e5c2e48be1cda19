"""Ready sweeps: one for each open question, small enough for a minute or a few on two cores."""

from pages.sweeps.asked import Asked, Ready

SMALL = {"rows": 40, "cols": 40, "rank": 4}

READY = (
    Ready(
        "One mode at a time",
        "Do deeper networks learn one mode at a time, too?",
        "J above 3: the first mode has risen before the second begins. Each column starts at the "
        "same end-to-end scale ε^L, so that depth alone differs.",
        Asked(
            (("end_to_end_scale", "0.0001:0.1:2/decade"), ("depth", "2:5:1")),
            "incrementality",
        ),
        {
            "problem": "factorization",
            "rows": 20,
            "cols": 20,
            "rank": 3,
            "rank_bound": 6,
            "alpha": 1.0,
            "learning_rate": 0.3,
            "rate_unit": "limit",
            "steps": 30_000,
            "record_every": 10,
        },
    ),
    Ready(
        "A guess at the rank",
        "How large should r̂ be when r is unknown?",
        "Left of r̂ = r there is a cliff: the network cannot hold the matrix. To the right it costs "
        "little, until too few entries are seen.",
        Asked((("rank_bound", "1:14:1"), ("observed", "0.1:0.9:0.1")), "best", seeds=1),
        SMALL | {"steps": 4000},
    ),
    Ready(
        "Noise, and when to stop",
        "How much is lost by training to the end on noisy entries?",
        "Last error over lowest error: above 1 the network went on to learn the noise. With r̂ = r "
        "little is lost; a few directions too many lose most.",
        Asked(
            (("noise", "0.1:0.5:0.1"), ("rank_bound", "4,8,16,32"), ("depth", "2,3,4")), "overfit"
        ),
        SMALL | {"observed": 0.5, "init_scale": 0.1, "learning_rate": 5.0, "steps": 6000},
    ),
    Ready(
        "What α does",
        "Is α more than a larger step?",
        "One line at a fixed η, one at a fixed share of the stability limit η*. What the second "
        "gains is α's own; the first gains what a larger step would, and ends where that diverges.",
        Asked((("alpha", "1:10:1"), ("equal", "rate,margin")), seeds=5, lines=True),
        SMALL | {"observed": 0.5, "steps": 8000},
    ),
    Ready(
        "How good is the start",
        "Where does compression stop helping?",
        "The largest angle between the directions in which the compressed network starts and the "
        "true ones. Near 90° its start has lost a mode; theory's line says where.",
        Asked((("observed", "0.1:0.9:0.1"), ("noise", "0:0.6:0.1")), "angle"),
        SMALL | {"rank_bound": 4, "steps": 3000},
    ),
    Ready(
        "What never moves",
        "Does the neglected part of the weights ever move?",
        "The share of the original network's weights that has left the small subspace in which "
        "theory has it move when everything is seen. Compression drops the rest.",
        Asked(
            (("observed", "0.1:1:0.1"), ("noise", "0,0.01,0.03,0.1,0.3,1")),
            "leak",
            network="original",
        ),
        SMALL | {"steps": 3000},
    ),
)
