"""Parts of the page for networks that tell classes apart."""
