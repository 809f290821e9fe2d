"""Who is served: stable shares of customers, independent from rule to rule."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from hashlib import blake2b

from adapter.model.rules import Variant

_WHOLE = 2**64


def within(percent: Decimal, rule: str, source_id: str, purpose: str) -> bool:
    """Tell whether a customer is in a rule's share of so many per cent.

    The customer's place is a hash of purpose, rule and source_id: it never changes, a share that grows only
    gains customers, and shares of different rules or purposes have nothing to do with each other.
    """
    return percent >= 100 or _place(rule, source_id, purpose) * 100 < percent * _WHOLE


def variant_of(variants: Sequence[Variant], rule: str, source_id: str) -> int:
    """Return the index of a customer's variant; the shares sum to 100."""
    place, end = _place(rule, source_id, "variant"), Decimal(0)
    for at, variant in enumerate(variants[:-1]):
        end += variant.share
        if place * 100 < end * _WHOLE:
            return at
    return len(variants) - 1


def _place(rule: str, source_id: str, purpose: str) -> int:
    """Return a customer's place, from 0 to 2^64."""
    name = f"{purpose}\x1f{rule}\x1f{source_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big")


def controlled(percent: Decimal, rule: str, source_id: str) -> bool:
    """Tell whether a customer is in a rule's control group, which is never served."""
    return percent > 0 and within(percent, rule, source_id, "control")
