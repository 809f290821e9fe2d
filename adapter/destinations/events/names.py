"""The names of events at customer data platforms: few, because mParticle takes 1,000 of a workspace."""

from __future__ import annotations


def title(event_type: str) -> str:
    """Return the name in the style of Segment's e-commerce specification: `Discount Issued`."""
    return event_type.replace(".", " ").replace("_", " ").title()


def snake(event_type: str) -> str:
    """Return the name in the style of mParticle's documentation: `discount_issued`."""
    return event_type.replace(".", "_")
