"""Who is served: stable shares of customers, independent from rule to rule."""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b

_WHOLE = 2**64


def within(percent: Decimal, rule: str, source_id: str, purpose: str) -> bool:
    """Tell whether a customer is in a rule's share of so many per cent.

    The customer's place is a hash of purpose, rule and source_id: it never changes, a share that grows only
    gains customers, and shares of different rules or purposes have nothing to do with each other.
    """
    if percent >= 100:
        return True
    name = f"{purpose}\x1f{rule}\x1f{source_id}".encode("utf-8", "surrogatepass")
    place = int.from_bytes(blake2b(name, digest_size=8).digest(), "big")
    return place * 100 < percent * _WHOLE


def controlled(percent: Decimal, rule: str, source_id: str) -> bool:
    """Tell whether a customer is in a rule's control group, which is never served."""
    return percent > 0 and within(percent, rule, source_id, "control")
