"""Verbs that show what is on the ledger."""
