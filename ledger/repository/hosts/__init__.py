"""What passes between this repository and its remotes and their hosts."""
