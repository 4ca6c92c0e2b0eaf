"""The samples of a dataset: reading, labels, statistics, comparison."""
