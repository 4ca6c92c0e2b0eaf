"""Verbs that add a run, and what is said of it later."""
