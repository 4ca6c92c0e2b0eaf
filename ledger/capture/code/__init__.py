"""Training code: what is code, what of it a patch keeps, and which file runs."""
