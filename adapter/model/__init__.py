"""Frozen values that every room shares; no behaviour that needs the world."""
