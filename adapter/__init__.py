"""Behaviour Discounts adapter: customer data in, discounts out."""

__version__ = "0.1.0"
