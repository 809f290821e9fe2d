"""The benefits under one code, each as a discount of its own, and the code that they make together.

Each benefit is used, held, rolled back and prorated as a discount with one benefit is. The counters of uses
belong to the code: only the reservations in budgets are split.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

from adapter.model.codes import benefit_key
from adapter.model.discounts import (
    NO_TERMS,
    Benefit,
    BenefitTerms,
    CounterReservation,
    DiscountRecord,
    Status,
)


def split(held: DiscountRecord) -> tuple[DiscountRecord, ...]:
    """Return each benefit as a discount of its own, named by `benefit_key`; of one benefit the record itself.

    What is left of a revoked code cannot be used again, so each benefit of it that was used has expired.
    """
    if held.benefits is UNSET or held.discount.actions is UNSET:
        return (held,)
    revoked, found, end = held.discount.status == "revoked", list[DiscountRecord](), len(held.claims)
    begin = end - sum(each.claims for each in held.benefits)
    for at, (benefit, own) in enumerate(zip(held.discount.actions, held.benefits, strict=True)):
        discount = replace(
            held.discount,
            code=benefit_key(held.discount.code, at),
            action=benefit.action,
            status=benefit.status,
            expires_at=held.moved_at if revoked else held.discount.expires_at,
            actions=UNSET,
        )
        terms = replace(held.terms, held_by=own.held_by, applied_in=own.applied_in, rest=own.rest)
        found.append(
            replace(
                held,
                discount=discount,
                claims=held.claims[begin : begin + own.claims],
                order_id=own.order_id,
                checkout=UNSET if terms == NO_TERMS else terms,
                benefits=UNSET,
            )
        )
        begin += own.claims
    return tuple(found)


def of_code(held: DiscountRecord) -> tuple[CounterReservation, ...]:
    """Return the claims that count the code; of a discount with one benefit all of them."""
    own = 0 if held.benefits is UNSET else sum(each.claims for each in held.benefits)
    return held.claims[: len(held.claims) - own]


def joined(held: DiscountRecord, parts: Sequence[DiscountRecord]) -> DiscountRecord:
    """Return the code with its benefits as they are in `parts`, all of them in their order."""
    if held.benefits is UNSET:
        return parts[0]
    changed = [part for part, before in zip(parts, split(held), strict=True) if part != before]
    status = _status([part.discount.status for part in parts])
    latest = changed[-1] if changed else held
    first = next((part for part in parts if part.terms.held_by or part.terms.applied_in), None)
    terms = NO_TERMS if first is None else first.terms
    checkout = replace(held.terms, held_by=terms.held_by, applied_in=terms.applied_in)
    return replace(
        held,
        discount=replace(
            held.discount,
            action=parts[0].discount.action,
            status=status,
            actions=tuple(Benefit(part.discount.action, part.discount.status) for part in parts),
        ),
        moved_at=max((part.moved_at for part in changed), default=held.moved_at),
        claims=(*of_code(held), *(claim for part in parts for claim in part.claims)),
        order_id=latest.order_id,
        reason=latest.reason,
        checkout=UNSET if checkout == NO_TERMS else checkout,
        benefits=tuple(
            BenefitTerms(
                claims=len(part.claims),
                order_id=part.order_id,
                held_by=part.terms.held_by,
                applied_in=part.terms.applied_in,
                rest=part.terms.rest,
            )
            for part in parts
        ),
    )


def moved_together(
    held: DiscountRecord, status: Status, now: datetime, order_id: str | None
) -> DiscountRecord:
    """Return a code whose benefits that are not used have another status, for an order."""
    if held.benefits is UNSET:
        return replace(held, discount=held.discount.as_of(status), moved_at=now, order_id=order_id)
    parts = [_with(part, status, now, order_id) if _open(part) else part for part in split(held)]
    return replace(joined(held, parts), order_id=order_id, moved_at=now)


def linked(held: DiscountRecord, applied_in: str | None) -> DiscountRecord:
    """Return a discount after a move, with the hold that its application has made, None without one.

    Then benefits that were applied with another, which alone was used, are issued again.
    """
    if held.benefits is UNSET:
        return _linked(held, applied_in)
    if applied_in is None and held.terms.applied_in is None:
        return held
    parts = [
        part
        if part.discount.status != "applied"
        else unapplied(part)
        if applied_in is None
        else _linked(part, applied_in)
        for part in split(held)
    ]
    return joined(
        held, [each if each.discount.status == "applied" else _linked(each, None) for each in parts]
    )


def unapplied(part: DiscountRecord) -> DiscountRecord:
    """Return a benefit whose application is over and which was not used: issued again."""
    return replace(_linked(part, None), discount=part.discount.as_of("issued"), order_id=None)


def _linked(held: DiscountRecord, applied_in: str | None) -> DiscountRecord:
    if held.terms.applied_in == applied_in:
        return held
    return replace(held, checkout=replace(held.terms, applied_in=applied_in))


def _open(part: DiscountRecord) -> bool:
    return part.discount.status in ("issued", "applied")


def _with(part: DiscountRecord, status: Status, now: datetime, order_id: str | None) -> DiscountRecord:
    return replace(part, discount=part.discount.as_of(status), moved_at=now, order_id=order_id)


def _status(statuses: Sequence[Status]) -> Status:
    """Return the status of a code by those of its benefits."""
    each: Status
    for each in ("applied", "issued", "revoked", "expired"):
        if each in statuses:
            return each
    return "redeemed"


def by_key(records: Iterable[DiscountRecord]) -> dict[str, DiscountRecord]:
    """Return the benefits of discounts, by their keys."""
    return {part.discount.code: part for held in records for part in split(held)}
