"""Adapters of frameworks: each file knows one, is imported by whoever uses it, and never raises into a training."""
