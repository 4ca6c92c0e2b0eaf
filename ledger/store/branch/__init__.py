"""The branch that holds the ledger: append, read, the policy, and what waits to be appended."""
