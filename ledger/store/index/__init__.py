"""The index of a ledger: queries, sort orders and leaderboards without reading every record."""
