"""Detection and replacement of secrets in everything that is stored."""
