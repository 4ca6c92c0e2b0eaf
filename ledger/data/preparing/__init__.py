"""Preprocessing that runs once for its code, params and data."""
