"""Parts of the page of paper figures."""
