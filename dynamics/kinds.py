"""Kind: what a network of ``networks/`` is, read from its file's constants; no torch.

``WIDTH`` and ``ALPHA`` name the settings that it takes its width and its α from, ``START`` says
whether its first factors are ``spectral`` or ``random``; ``REDUCED`` marks an exact simulation,
which does not do the network's work.
"""

from dynamics import registry
from dynamics.config import Config


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
