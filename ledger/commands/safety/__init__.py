"""Verbs that keep the ledger intact, signed and in sync with its remotes."""
