"""What a run used, and versions of datasets."""
