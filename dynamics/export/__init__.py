"""Charts and numbers as files. Whatever is written to disk for a user is made here.

Imports draw, runs, findings, theory, core and data.
"""
