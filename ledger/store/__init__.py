"""The ledger on its branch: append, read, policy, and what waits to be appended."""
