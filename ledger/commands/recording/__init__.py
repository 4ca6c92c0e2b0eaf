"""Verbs that add a run, and later statements about it."""
