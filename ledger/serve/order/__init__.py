"""The order of samples: a pure function of a plan, which reads no data."""
