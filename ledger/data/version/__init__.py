"""What a dataset version holds, file by file, and the hash that names it."""
