"""Mutation testing of what decides: small faults are put into a copy of the code, and a test must notice each."""
