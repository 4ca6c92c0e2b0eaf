"""Statistical judgement of differences: noise, tests, verdicts, and their wording."""
