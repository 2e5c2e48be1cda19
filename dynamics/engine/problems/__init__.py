"""Problems: one file for each, with ``make``."""
