"""Kind: what a network of ``networks/`` is, read from its file's constants; no torch.

``WIDTH`` and ``ALPHA`` name the settings that it takes its width and its α from, ``START`` says
whether its first factors are ``spectral`` or ``random``; ``REDUCED`` marks an exact simulation,
which does not do the network's work.
"""

from dynamics.core import registry
from dynamics.core.config import Config


def narrow(network: str) -> bool:
    """Whether a network is r̂ wide."""
    return _constant(network, "WIDTH") == "rank_bound"


def spectral(network: str) -> bool:
    """Whether a network starts at the surrogate's singular vectors."""
    return _constant(network, "START") == "spectral"


def wide(config: Config) -> bool:
    """Whether whole factors of the original width are trained."""
    return any(not narrow(name) and not reduced(name) for name in config.networks)


def reduced(network: str) -> bool:
    """Whether an exact simulation stands for the network's own steps."""
    return bool(_constant(network, "REDUCED"))


def alpha(config: Config, network: str) -> float:
    """α of a network: its outer factors move by α times its learning rate."""
    return float(getattr(config, _constant(network, "ALPHA")))


def pace(config: Config, network: str) -> float:
    """What η is multiplied by for a network: 1, or α^(−2/L) at an equal stability margin.

    As η* falls as α^(−2/L), all networks then move at the same share of their own η*.
    """
    if config.equal == "rate":
        return 1.0
    return float(alpha(config, network) ** (-2 / config.depth))


def called(network: str) -> str:
    """A network's name in words, such as ``original network with α``."""
    headline = registry.options("networks").get(network, network.replace("_", " "))
    name = headline.partition(":")[0]
    return name[0].lower() + name[1:]


def said(network: str) -> str:
    """The same in a legend, where all are networks: ``original with α``."""
    return called(network).replace(" network", "")


def _constant(network: str, name: str) -> str:
    if network not in registry.options("networks"):
        return ""
    return str(registry.constant("networks", network, name, ""))


def widths(config: Config, network: str) -> list[int]:
    """cols, the hidden widths and rows."""
    rows, cols = config.shape
    wide = config.width or min(rows, cols)
    hidden = config.rank_bound if narrow(network) else wide
    return [cols, *[hidden] * (config.depth - 1), rows]


def observed(config: Config) -> float:
    """How many entries or sums of entries are seen, on average over the masks."""
    rows, cols = config.shape
    if seen(config) == "sums":
        return float(config.measurements)
    share = 1.0 if seen(config) == "all" else config.observed
    return share * registry.constant("problems", config.problem, "ENTRIES", rows * cols)


def adrift(network: str) -> bool:
    """Whether a network is narrow and starts at random: no theory of that is known."""
    return narrow(network) and not spectral(network)


def late(config: Config, network: str) -> bool:
    """Whether a network starts on the way, from the original at that moment."""
    return network == "compressed" and config.compress_at > 0


def seen(config: Config) -> str:
    """What the config's problem shows of its matrix: ``all``, ``entries`` of it, or ``sums``.

    ``list`` is entries that are kept as a list, without any array of rows × cols.
    """
    return str(registry.constant("problems", config.problem, "SEEN", "entries"))


def curvature(config: Config) -> float:
    """c, so that −∇loss(0) ≈ c M*: 1/m for sums, else one over the number of entries."""
    rows, cols = config.shape
    return 1 / config.measurements if seen(config) == "sums" else 1 / (rows * cols)
