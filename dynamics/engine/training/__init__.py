"""From a Config to records: one problem, several networks, in lockstep."""
