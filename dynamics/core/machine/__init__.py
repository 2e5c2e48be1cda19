"""What the machine gives and refuses: files, memory, threads."""
