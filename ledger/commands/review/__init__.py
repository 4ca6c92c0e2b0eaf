"""Verbs about proposals, and checks of what arrives."""
