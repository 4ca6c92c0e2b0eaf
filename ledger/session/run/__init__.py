"""The run as a training script uses it."""
