"""Parts of the attribution page."""
