"""The link between the ranks of a job that share no folder."""
