"""What learns it: a file a network, each with ``build``."""
