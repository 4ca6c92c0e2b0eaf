"""The spool: what a run writes while it lives, and how it becomes a record."""
