"""Commits: append them, read them, put them onto others, make them again."""
