"""Presets: settings that show one thing each in under ten seconds on a laptop without a GPU."""

from pages.shared.workbench.presets import Preset

PRESETS = (
    Preset(
        "Fill in a matrix",
        "70 % of a matrix is missing. Both networks find all of it. The compressed network needs "
        "fewer steps, and each is much cheaper.",
        {},
    ),
    Preset(
        "One mode at a time",
        "Nothing seems to happen, then one singular value rises after another. A plateau is the "
        "time that a small value needs to grow.",
        {"problem": "factorization"},
    ),
    Preset(
        "Animals and plants",
        "Eight living things and their properties. What all share is learned first, then what "
        "tells animals from plants, then birds from fish: the general before the special.",
        {"problem": "semantic"},
    ),
    Preset(
        "Shallow, L = 2",
        "With only two factors the compressed network stalls before it has filled the gaps: "
        "depth is what favours low rank.",
        {"depth": 2},
    ),
    Preset(
        "Same α for both",
        "Here the original network's outer factors move five times faster, too. The compressed "
        "network's remaining lead has other causes.",
        {"alpha_original": 5.0},
    ),
    Preset(
        "Guess too low",
        "A width bound below the rank: the compressed network cannot hold the matrix and stops at "
        "a large error.",
        {"rank_bound": 3, "steps": 9000},
    ),
    Preset(
        "Few measurements",
        "Only 600 random weighted sums of the 900 entries are seen; low rank makes up for the "
        "rest.",
        {"problem": "sensing"},
    ),
    Preset(
        "A photograph",
        "Half of the pixels of a picture are missing. Its large features come first, ever smaller "
        "modes follow, then the fill gets worse. Low rank knows no neighbours: simple fills do.",
        {"problem": "photograph"},
    ),
    Preset(
        "Film ratings",
        "What means leave of 72,000 real ratings; 8,000 more tell when to stop, 20,000 are held "
        "out. One network, the compressed, is trained. Rate ten films below its charts.",
        {"problem": "films"},
    ),
)
