"""Whether a difference is more than chance: noise, tests, verdicts, and the words for them."""
