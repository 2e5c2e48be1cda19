"""Files for the user: the export dialog, downloads, and the processes that draw."""
