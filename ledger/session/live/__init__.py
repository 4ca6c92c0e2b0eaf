"""What can be said of a run while it lives: how far it is, how fast, and when it will be done."""
