"""Queries on runs: the language, fields, sort orders and the rows of `ledger list`."""
