"""What a training made: metrics, curves, logs, tables, the model."""
