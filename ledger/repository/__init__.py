"""Git itself, in few typed calls. Knows nothing of records; the only room of GitPython."""
