"""How a gradient becomes a direction: a file an optimizer, each with ``direction``."""
