"""Verbs for proposals, and for the check of new entries."""
