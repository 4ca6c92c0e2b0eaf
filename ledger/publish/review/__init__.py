"""Reviews for people: a comment for a pull request, and the same text as a page."""
