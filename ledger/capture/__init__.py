"""One probe per box of the record; where a probe cannot determine something, it gives the reason instead of raising."""
