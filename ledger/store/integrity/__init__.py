"""Whether the ledger is whole and whose it is: checks, verification, signatures, redactions."""
