"""Runs in a notebook: its name, its cells, its output, the figures that it shows."""
