"""Verbs about data: versions, cases, preprocessing."""
