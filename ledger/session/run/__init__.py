"""The run in a training script."""
