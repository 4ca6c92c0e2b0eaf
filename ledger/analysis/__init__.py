"""Pure functions over entries: no I/O, no git, no clock."""
