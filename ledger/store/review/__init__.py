"""Proposals: what they add, what a reviewer has to know of it, and how they are kept apart."""
