"""The branch that holds the ledger: appending, reading, the policy, and entries that wait to be appended."""
