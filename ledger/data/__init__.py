"""Datasets: what a version holds, file by file."""
