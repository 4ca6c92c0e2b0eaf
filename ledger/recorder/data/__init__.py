"""Datasets that a run used, and new dataset versions."""
