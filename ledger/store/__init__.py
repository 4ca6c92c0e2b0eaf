"""The ledger on its branch: appending, reading, the policy, and entries that wait to be appended."""
