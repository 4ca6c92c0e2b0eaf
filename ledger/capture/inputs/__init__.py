"""The inputs of a run, chosen by a person or a sweep."""
