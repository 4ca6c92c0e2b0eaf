"""Verbs that set up a ledger and its parts."""
