"""What is measured of a network while it trains, and how measurements share their work."""
