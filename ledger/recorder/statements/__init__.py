"""Later statements: evaluations, notes, cases, signatures, proposals."""
