"""Foreign formats: bytes of files that other tools write, as plain values. No git, no ledger, nothing is executed."""
