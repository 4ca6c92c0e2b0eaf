"""Where a model is weak, what changed with it, and what to change next."""
