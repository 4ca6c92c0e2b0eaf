"""What lives while training lives: the run, its crash-safe spool, signals, and recovery after a crash."""
