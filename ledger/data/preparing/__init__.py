"""Preprocessing steps, run once for each combination of code, params and data."""
