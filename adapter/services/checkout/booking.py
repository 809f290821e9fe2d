"""The transaction that redeems codes, or holds them: load, reserve, attempt, save."""

from __future__ import annotations

from msgspec.structs import replace

from adapter.model.customers import LINKING
from adapter.services.checkout import replies
from adapter.services.checkout.attempt import BookingAttempt
from adapter.services.checkout.known_bookings import applied_holds
from adapter.services.checkout.replies import Earlier, Reply
from adapter.services.checkout.vouchers import unknown_codes
from adapter.services.checkout.wishes import BookingTools, Wish
from adapter.store.checkout_values import BookingRequest
from adapter.store.transaction_contract import Transaction
from adapter.store.values import LoadRequest


async def book(transaction: Transaction, wish: Wish, terms: BookingTools) -> Reply | Earlier:
    """Book all codes of a request or none; the reply says what was booked, or why nothing was."""
    loaded = await transaction.load(_wanted(wish), wish.now)
    if wish.keyed is not None and wish.keyed.message in loaded.answers:
        return replies.repeated(wish.keyed, loaded.answers[wish.keyed.message])
    held = [each.id for each in wish.known] + applied_holds(loaded.discounts.values())
    orders = [wish.request.order_id] if wish.request.order_id else []
    vouchers = unknown_codes(wish.codes, loaded.discounts, terms.shared)
    wanted = BookingRequest(redemptions=held, orders=orders, vouchers=vouchers)
    booked = await transaction.booked(wanted)
    if later := set(booked.on_orders.values()).difference(booked.redemptions):
        # Booked since the redemptions of the order were read.
        more = await transaction.booked(BookingRequest(redemptions=sorted(later)))
        booked = replace(booked, redemptions={**booked.redemptions, **more.redemptions})
    attempt = BookingAttempt(wish, terms, loaded, booked)
    attempt.reserve((await transaction.reserve(attempt.counters(), ())).used)
    reply = attempt.reply()
    changes = attempt.changes(reply)
    if changes is not None:
        await transaction.save(changes)
    return reply


def _wanted(wish: Wish) -> LoadRequest:
    source_id = wish.request.source_id
    names = [source_id] if source_id else []
    names += sorted({each.source_id for each in wish.known if each.source_id})
    # A visitor without a record may have become a customer since a hold was made for them.
    identities = [(kind, name) for kind in LINKING for name in names]
    messages = [wish.keyed.message] if wish.keyed else []
    return LoadRequest(messages, names, identities, wish.codes)
