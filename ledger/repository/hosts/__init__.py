"""Exchange between this repository, its remotes, and their hosts."""
