"""What more than one page uses. Imports no page's own folder."""
