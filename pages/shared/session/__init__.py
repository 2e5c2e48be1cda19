"""Sessions that lose nothing: what is done first after a restart, and what a click writes."""
