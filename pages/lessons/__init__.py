"""Parts of the lessons' page."""
