"""What is known without training: limits, escape times, exact courses, forecasts. NumPy alone.

Imports core.
"""
