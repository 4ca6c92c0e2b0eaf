"""Runs in the formats of other tools, as files: a pure function of the records, the same bytes each time."""
