"""Exchange between a clone and its remotes, and the checks of what comes in."""
