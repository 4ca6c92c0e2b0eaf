"""Integrity and authenticity of the ledger: checks, verification, signatures, redactions."""
