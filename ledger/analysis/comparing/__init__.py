"""What may be compared with what, and who is best where that can be said."""
