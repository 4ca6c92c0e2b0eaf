"""The machine, the software and the cost of a run."""
