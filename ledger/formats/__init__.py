"""Parsers of files that other tools write, into plain values. No git, no ledger, and nothing is executed."""
