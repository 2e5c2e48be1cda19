"""What a finished run shows, in numbers and sentences. NumPy alone.

Imports theory and core, never engine.
"""
