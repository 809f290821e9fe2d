"""What a decision may know beside the event, its customer and their history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from adapter.model.customers import Customer
from adapter.rules.history.history import History
from adapter.rules.history.own_discounts import OwnDiscounts


class Recipient(Struct, frozen=True):
    """A customer who may get a discount for the event of another, with their history."""

    customer: Customer
    history: History


#: Returns the customer of an id, after merges; None where none is known.
Recipients = Callable[[str], Recipient | None]


def no_recipient(name: str) -> Recipient | None:
    """Know no other customer."""
    del name
    return None


class Beside(Struct, frozen=True):
    """Other customers that the event names, and the customer's discounts, None where they were not read."""

    recipients: Recipients = no_recipient
    discounts: OwnDiscounts | None = None


NOTHING: Final = Beside()
