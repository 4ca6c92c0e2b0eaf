"""Verbs that begin a ledger and put its parts in place."""
