"""Networks that learn a problem: a file a network, each with ``build`` or ``LIKE``."""
