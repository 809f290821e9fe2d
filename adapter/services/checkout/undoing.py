"""The transactions that undo: rollbacks of redemptions, and holds that are released or whose time is over."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from adapter.model.codes import sums_by_code
from adapter.model.counter_key import ScopedKey
from adapter.model.redemptions import Redemption, Rollback
from adapter.pricing import InvalidRefund, Redeemed, Refund, ReturnedLine, roll_back, roll_back_amount
from adapter.services.checkout import documents, replies
from adapter.services.checkout.giving_back import Back, everything, give_back
from adapter.services.checkout.ledger import Ledger
from adapter.services.checkout.pushes import Pushes
from adapter.services.checkout.replies import IdempotencyKey, Reply
from adapter.services.checkout.requests import RollBack
from adapter.store.checkout_values import BookingRequest
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, LoadRequest

#: Faults of the request itself; the others are about what was redeemed.
_UNREADABLE = ("invalid_quantity", "invalid_amount", "unknown_line")


class Undo(Struct, frozen=True, kw_only=True):
    """What is undone: `known` is the redemption as it was before the transaction; `id` is the rollback's."""

    known: Redemption
    now: datetime
    id: str = ""
    keyed: IdempotencyKey | None = None


async def release(
    transaction: Transaction, undo: Undo, state: Literal["released", "expired"], pushes: Pushes
) -> Redemption:
    """Give back what a hold took, unless it is over already; returns it as it is after that."""
    hold, ledger = await _locked(transaction, undo)
    if hold.state != "held":
        return hold
    uses = give_back(ledger, hold, everything(hold, undo.now))
    after = replace(hold, state=state, uses=uses, revision=hold.revision + 1)
    moved = ledger.written.values()
    body = documents.booked(after, undo.now)
    await transaction.save(
        Changes(
            seen_at=undo.now,
            discounts=list(moved),
            counters=ledger.differences,
            bounds=ledger.bounds,
            deliveries=list(pushes.of("redemption.released", body, after, moved, undo.now)),
            redemptions=[after],
        )
    )
    return after


async def undo_redemption(transaction: Transaction, undo: Undo, asked: RollBack, pushes: Pushes) -> Reply:
    """Roll back a redemption, or a part of it; returns what came back, or why nothing did."""
    keyed = undo.keyed
    loaded = await transaction.load(_wanted(undo), undo.now)
    if keyed is not None and keyed.message in loaded.answers:
        found = replies.repeated(keyed, loaded.answers[keyed.message])
        return found if isinstance(found, Reply) else replies.reused()
    redemption, ledger = await _ledger(transaction, undo, loaded.discounts)
    refund = _refund(redemption, asked)
    if isinstance(refund, Reply):
        if keyed is not None:
            await transaction.save(
                Changes(undo.now, {keyed.message: replies.kept(keyed, refund, owned=False)})
            )
        return refund
    after, back = _rolled_back(ledger, redemption, refund, asked, undo)
    reply = Reply.of(documents.rolled_back(back))
    answers = {keyed.message: replies.kept(keyed, reply, owned=bool(redemption.source_id))} if keyed else {}
    moved = ledger.written.values()
    await transaction.save(
        Changes(
            seen_at=undo.now,
            answers=answers,
            rewarded=dict.fromkeys(answers, redemption.source_id) if redemption.source_id else {},
            discounts=list(moved),
            counters=ledger.differences,
            bounds=ledger.bounds,
            deliveries=list(pushes.of("redemption.rolled_back", reply.body, after, moved, undo.now)),
            redemptions=[after],
            rollbacks=[back],
        )
    )
    return reply


def _rolled_back(
    ledger: Ledger, redemption: Redemption, refund: Refund | None, asked: RollBack, undo: Undo
) -> tuple[Redemption, Rollback]:
    back = _back(redemption, refund, undo.now)
    uses = give_back(ledger, redemption, back)
    after = replace(
        redemption,
        uses=uses,
        state="rolled_back" if back.whole else redemption.state,
        refundable=None if refund is None else msgspec.to_builtins(refund.after),
        revision=redemption.revision + 1,
    )
    kept = Rollback(
        id=undo.id,
        redemption=redemption.id,
        source_id=redemption.source_id,
        number=after.revision,
        at=undo.now,
        currency=redemption.currency,
        refund=refund.refund if refund else 0,
        tax=refund.tax if refund else 0,
        returned=sums_by_code(back.returned),
        lines={line: sums_by_code(taken) for line, taken in refund.lines.items()} if refund else {},
        whole=back.whole,
        reason=asked.reason,
    )
    return after, kept


def _back(redemption: Redemption, refund: Refund | None, now: datetime) -> Back:
    if refund is None:
        return replace(everything(redemption, now), returned={})
    return Back(returned=refund.returned, units=refund.units, whole=refund.whole, now=now)


def _refund(redemption: Redemption, asked: RollBack) -> Refund | Reply | None:
    """Return what comes back, None where the amounts are not known and all of it is rolled back."""
    if redemption.state == "rolled_back":
        return replies.refusal("already_refunded", "the redemption was rolled back before")
    if redemption.state != "redeemed":
        return replies.refusal("not_redeemed", f"it is no redemption: the hold is {redemption.state}")
    if redemption.refundable is None:
        if asked.lines is None and asked.amount is None:
            return None
        return replies.refusal("amounts_unknown", "it was redeemed without lines: roll back all of it")
    left = msgspec.convert(redemption.refundable, Redeemed)
    try:
        if asked.amount is not None:
            return roll_back_amount(left, asked.amount)
        lines = None if asked.lines is None else [ReturnedLine(one.id, one.quantity) for one in asked.lines]
        return roll_back(left, lines)
    except InvalidRefund as error:
        status = 400 if error.reason in _UNREADABLE else 409
        return replies.refusal(error.reason, error.message, status)


async def _locked(transaction: Transaction, undo: Undo) -> tuple[Redemption, Ledger]:
    loaded = await transaction.load(_wanted(undo), undo.now)
    return await _ledger(transaction, undo, loaded.discounts)


async def _ledger(transaction: Transaction, undo: Undo, records: dict[str, Any]) -> tuple[Redemption, Ledger]:
    """Return the redemption as it is now, locked, and the counters that it may move."""
    booked = await transaction.booked(BookingRequest(redemptions=[undo.known.id]))
    redemption = booked.redemptions.get(undo.known.id, replace(undo.known, state="rolled_back"))
    codes = {use.code for use in redemption.uses if not use.shared}
    mine = {code: held for code, held in records.items() if code in codes}
    claims = [claim for use in redemption.uses for claim in use.claims]
    claims += [claim for held in mine.values() for claim in held.claims]
    keys: set[ScopedKey] = {(claim.scope, claim.key) for claim in claims}
    used = (await transaction.reserve(sorted(keys), ())).used
    return redemption, Ledger(mine, used)


def _wanted(undo: Undo) -> LoadRequest:
    known = undo.known
    codes = [use.code for use in known.uses if not use.shared]
    customers = [known.source_id] if known.source_id else []
    return LoadRequest([undo.keyed.message] if undo.keyed else [], customers, [], codes)
