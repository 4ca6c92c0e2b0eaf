"""The handbook held to the program: the tutorial is played, and the reference is what the code says."""
