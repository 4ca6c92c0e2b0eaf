"""The samples of a dataset: read, labelled, counted, compared."""
