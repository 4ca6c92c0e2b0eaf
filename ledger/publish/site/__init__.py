"""The site as a whole: building, writing and serving it."""
