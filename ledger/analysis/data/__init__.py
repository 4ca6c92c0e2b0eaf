"""What runs say of data, and data of runs: versions, cases, curves, predictions."""
