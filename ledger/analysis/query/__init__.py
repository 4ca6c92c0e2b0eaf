"""Questions about runs: the query language, fields, orders and the usual table."""
