"""Parts of the page for networks that recover a matrix."""
