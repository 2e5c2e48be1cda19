"""Data sets and the authors' own matrices: reads, downloads and checks files.

Imports no other room.
"""
