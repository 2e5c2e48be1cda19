"""A file a lesson."""
