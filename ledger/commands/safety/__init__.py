"""Verbs that keep the ledger whole, signed and in step with its remotes."""
