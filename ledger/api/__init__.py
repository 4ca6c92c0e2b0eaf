"""The public `Ledger` object: each method calls the same function as the command of that name."""
