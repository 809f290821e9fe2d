"""What redeems: the checkout's calls, the calls that move discounts, and orders in messages."""

from __future__ import annotations

from typing import Self

from msgspec import Struct

from adapter.composition.base import Base
from adapter.composition.committing import Committing
from adapter.composition.delivery import DeliveryServices
from adapter.services.checkout.candidates import TermsReader
from adapter.services.checkout.customers import Remembering
from adapter.services.checkout.offers import SharedCodes
from adapter.services.checkout.promotions import RuleCodes
from adapter.services.checkout.pushes import Pushes
from adapter.services.checkout.service import CheckoutService
from adapter.services.checkout.stream import OrderStream
from adapter.services.checkout.wishes import BookingTools
from adapter.services.discounts import DiscountService


class CheckoutServices(Struct, frozen=True, kw_only=True):
    """`checkout` prices and books orders in transactions of its own; `discounts` moves single discounts.

    `orders` books what messages say of orders.
    """

    checkout: CheckoutService
    discounts: DiscountService
    orders: OrderStream

    @classmethod
    def of(
        cls, base: Base, delivery: DeliveryServices, committing: Committing, shared: SharedCodes | None
    ) -> Self:
        """Build them; `shared` has the codes that everybody may use, else the rules have them."""
        terms = _terms(base, delivery, shared or RuleCodes(base.books, base.store))
        checkout = _checkout(base, delivery, committing, terms)
        committer, clock = committing.committer, base.clock
        return cls(
            checkout=checkout,
            discounts=DiscountService(
                base.store, committer, base.books, clock, base.patience, release_hold=checkout.release
            ),
            orders=OrderStream(base.store, checkout, base.books, committer.submit, clock),
        )


def _terms(base: Base, delivery: DeliveryServices, shared: SharedCodes) -> BookingTools:
    """Build what knows the terms of a code, and what is pushed of its use."""
    pushes = Pushes(delivery.destinations.recipients, base.world.new_id, base.metrics.note_development)
    return BookingTools(shared, TermsReader(), pushes)


def _checkout(
    base: Base, delivery: DeliveryServices, committing: Committing, terms: BookingTools
) -> CheckoutService:
    """Build the checkout, which books in transactions of its own."""
    return CheckoutService(
        base.store,
        terms,
        base.clock,
        base.world.new_id,
        base.patience,
        wake=delivery.dispatcher.wake,
        remember=Remembering(committing.committer.submit, base.clock).remember,
        complete=committing.completer.complete,
    )
