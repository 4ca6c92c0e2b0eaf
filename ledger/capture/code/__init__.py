"""The training code: which files count as code, which of them a patch holds, and the running script."""
