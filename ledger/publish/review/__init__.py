"""What a reviewer reads: a comment for a pull request, and the same words as a page."""
