"""Whose an email address is."""

from __future__ import annotations

from adapter.model.emails import normal
from adapter.store.contract import Store

#: So many of a visitor's events, the latest, tell whose address they act under.
_EVENTS = 1_000


async def holds(store: Store, source_id: str, address: str) -> bool:
    """Say whether an address is a customer's own.

    Their record says so; of a customer whose record holds none, all events that name who acted name it.
    """
    customer = await store.customer(source_id)
    if customer is None:
        return False
    own = customer.addresses()
    if own:
        return address in own
    acted = {event.user.email for event in await store.events(source_id, _EVENTS)}
    return {normal(email) for email in acted if email} == {address}
