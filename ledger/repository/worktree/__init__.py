"""Work trees: what differs from a commit, as one exact patch."""
