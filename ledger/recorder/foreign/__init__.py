"""Runs of other trackers as records: what their stores say, with its times, and nothing that they do not say."""
