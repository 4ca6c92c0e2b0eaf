"""The processes of a run: a wrapped command, signals, endings, ranks."""
