"""The outputs of a training: metrics, curves, logs, tables, the model."""
