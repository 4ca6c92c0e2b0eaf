"""What passes between a clone and its remotes, and what is taken over of it."""
