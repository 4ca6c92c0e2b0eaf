"""What readers of other trackers share: databases, files and values of which none is trusted, and series from rows."""
