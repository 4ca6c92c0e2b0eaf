"""The spool: the files that a run writes while it lives, and their conversion to a draft."""
