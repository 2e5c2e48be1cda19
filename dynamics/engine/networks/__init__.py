"""Networks that learn a problem: one file per network, each with ``build`` or ``LIKE``."""
