"""Work trees: their differences from a commit, as one exact patch."""
