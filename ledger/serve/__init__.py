"""What feeds a training: an order of samples that is a pure function of its plan, and the batches in that order."""
