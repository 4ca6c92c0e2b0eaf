"""Verbs that compare runs and judge them."""
