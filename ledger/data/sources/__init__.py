"""Samples by their row: what one sample of a dataset is, and how it is read without the others."""
