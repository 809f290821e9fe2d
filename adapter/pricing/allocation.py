"""Amounts split without losing or inventing a minor unit: over lines, and over the units of one line.

Both use the largest remainder method (Hamilton's): each part gets the whole units of its exact share, and
the units left over go to the parts with the largest fractions.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapter.pricing.numbers import MILLION, half_up


def allocate(
    amount: int, weights: Sequence[int], caps: Sequence[int], ranks: Sequence[int] | None = None
) -> list[int]:
    """Return the parts of an amount in proportion to weights, none above its cap.

    A tie goes to the part that is first; with ranks to the one of the larger weight, then of the lower rank.
    The amount must not exceed the sum of the caps, nor each cap be less than its whole share.
    """
    whole = sum(weights)
    shares = [divmod(amount * weight, whole) for weight in weights]
    parts = [share for share, _ in shares]
    spare = amount - sum(parts)
    if spare == 0:
        return parts
    if ranks is None:
        places = sorted((-rest, at) for at, (_, rest) in enumerate(shares))
    else:
        ranked = sorted((-shares[at][1], -weights[at], ranks[at], at) for at in range(len(parts)))
        places = [(rest, at) for rest, _, _, at in ranked]
    for _, at in places:
        if parts[at] < caps[at]:
            parts[at] += 1
            spare -= 1
            if spare == 0:
                break
    return parts


def of_units(amount: int, units: int, taken: int) -> int:
    """Return which part of an amount lies on the first `taken` of a line's units, both in millionths.

    Each whole unit has an equal share, a last fraction of a unit its proportion; spare minor units go to the
    largest remainders, an earlier unit first. Part of one unit is in proportion to that unit, half up.
    """
    if taken >= units:
        return amount
    count, last = divmod(units, MILLION)
    share, rest = divmod(amount * MILLION, units)
    last_share, last_rest = divmod(amount * last, units)
    spare = amount - count * share - last_share
    if last and spare and (last_rest > rest or spare > count):
        last_share, spare = last_share + 1, spare - 1
    full, fraction = divmod(taken, MILLION)
    found = full * share + min(full, spare)
    if not fraction:
        return found
    size, next_share = (MILLION, share + (full < spare)) if full < count else (last, last_share)
    return found + half_up(next_share * fraction, size)
