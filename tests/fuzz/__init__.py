"""Bytes that nobody meant, led by coverage, into what reads documents, queries and foreign files."""
