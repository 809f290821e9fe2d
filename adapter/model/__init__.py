"""Frozen values that every package shares; no I/O, clock or randomness."""
