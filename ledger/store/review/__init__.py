"""Proposals: their additions, what a reviewer needs to know, and how they are kept off the branch."""
