"""The calls of other trackers, answered by the ledger: a script changes its import, or `ledger run --as` does."""
