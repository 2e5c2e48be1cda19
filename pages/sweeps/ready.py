"""Ready sweeps: one or two for each open question, each of a minute or a few on two cores."""

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
        "Too wide, with noise",
        "What does an r̂ above the rank cost when entries are noisy?",
        "The last error. Without noise, wider costs nothing; with noise, each direction above r is "
        "one more that learns the noise, unless training stops in time.",
        Asked((("rank_bound", "2,3,4,5,6,8,12,20"), ("noise", "0,0.1,0.2,0.4,0.8")), "final"),
        SMALL | {"observed": 0.5, "steps": 6000},
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
        "α where classes are told",
        "Is α more than a larger step in a network that tells digits apart?",
        "Steps to 95 % of held-out images. A larger α comes sooner as long as its step is stable; "
        "with a small start ε there is more to gain.",
        Asked(
            (("alpha", "0.2,1,2,5,10"), ("init_scale", "0.03,0.1,0.3,1")),
            "accuracy_steps",
            level=0.95,
        ),
        {"problem": "digits"},
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
        "How many sums",
        "How many sums of entries make a good start?",
        "The same angle where not entries are seen but m weighted sums of all of them. It falls "
        "about as 1/√m; noise on a sum of 1,600 entries hardly counts.",
        Asked((("measurements", "100:6400:3/decade"), ("noise", "0,0.6")), "angle", lines=True),
        SMALL | {"problem": "sensing", "rank_bound": 4, "steps": 10, "record_every": 10},
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
