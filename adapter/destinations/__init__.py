"""Destinations: where discounts go."""
