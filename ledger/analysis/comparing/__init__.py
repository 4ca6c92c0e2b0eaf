"""Comparability of measurements, and rankings where they are comparable."""
