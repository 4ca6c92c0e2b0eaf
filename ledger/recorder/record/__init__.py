"""From a draft to the record of a run."""
