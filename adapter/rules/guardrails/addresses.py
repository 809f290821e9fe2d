"""The email addresses of a customer at one event, in normal form: a guest's may be on the event alone."""

from __future__ import annotations

from adapter.model.customers import Customer
from adapter.model.emails import normal
from adapter.model.events import Event


def addresses(customer: Customer, event: Event) -> tuple[str, ...]:
    """Return the addresses of the customer, and of the event's `email`, as its user's or as an attribute."""
    given = (
        customer.email,
        customer.identities.get("email"),
        event.user.email,
        event.attributes.get("email"),
    )
    found = [normal(email) for email in given if email.__class__ is str]
    return tuple(dict.fromkeys(address for address in found if address is not None))
