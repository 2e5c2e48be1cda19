"""Parts of the page of saved runs."""
