"""Parts of the first page: the settings, the charts and the summary of a run."""
