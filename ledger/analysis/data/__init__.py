"""Statements of runs about data, and data of runs: versions, cases, curves, predictions."""
