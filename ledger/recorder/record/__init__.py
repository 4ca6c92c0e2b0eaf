"""Making of a run's record from its draft."""
