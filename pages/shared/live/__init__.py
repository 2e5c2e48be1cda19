"""The live charts: what a page shows of a run, its stream, and the modules for the browser."""
