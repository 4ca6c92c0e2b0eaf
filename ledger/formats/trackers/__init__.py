"""Readers of the stores that other experiment trackers leave: bytes of a foreign format to `ForeignRun`."""
