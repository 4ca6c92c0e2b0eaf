"""The typed documents of the ledger: frozen values, no I/O, no clock, no git."""
