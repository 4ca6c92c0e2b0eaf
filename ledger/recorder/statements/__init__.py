"""What is said later: evaluations, notes, cases, signatures, proposals."""
