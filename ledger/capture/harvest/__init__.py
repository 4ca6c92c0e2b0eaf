"""What a training said to nobody: its command line, the files that it left since it began, the lines that it printed.

Each value is found with its source. Nothing is executed, and what cannot be told for certain is left out and named.
"""
