"""Commits: append, read, replay and rewrite them."""
