"""Secrets: finds them in everything that is kept, and takes them out."""
