"""Everything that lives during a training: the run, its crash-safe spool, signals, and recovery after a crash."""
