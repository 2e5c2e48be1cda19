"""The page on which a run is set up, trained and watched: one for matrices, one for classes."""
