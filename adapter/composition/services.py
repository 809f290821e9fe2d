"""All areas, in the order in which they are built."""

from __future__ import annotations

from functools import partial
from typing import Self

from msgspec import Struct

from adapter.composition.base import Base
from adapter.composition.bulk import BulkServices
from adapter.composition.checkout import CheckoutServices
from adapter.composition.committing import Committing
from adapter.composition.customers import CustomerServices
from adapter.composition.delivery import DeliveryServices
from adapter.composition.ingest import IngestServices
from adapter.services.background.sweeps import Intervals, Sweeps
from adapter.services.checkout.offers import SharedCodes
from adapter.services.delivery.shown import sending
from adapter.services.health import Health


class Services(Struct, frozen=True, kw_only=True):
    """The services of one store by area, without those of the console (`console.py`)."""

    base: Base
    delivery: DeliveryServices
    committing: Committing
    checkout: CheckoutServices
    ingest: IngestServices
    customers: CustomerServices
    bulk: BulkServices
    sweeps: Sweeps
    health: Health

    @classmethod
    def of(cls, base: Base, shared: SharedCodes | None = None) -> Self:
        """Build them; `shared` has the codes that everybody may use, else the rules have them."""
        delivery = DeliveryServices.of(base)
        committing = Committing.of(base, delivery)
        checkout = CheckoutServices.of(base, delivery, committing, shared)
        return cls(
            base=base,
            delivery=delivery,
            committing=committing,
            checkout=checkout,
            ingest=IngestServices.of(base, committing, checkout),
            customers=CustomerServices.of(base, committing),
            bulk=BulkServices.of(base, committing),
            sweeps=_sweeps(base, checkout),
            health=_health(base, committing),
        )


def _sweeps(base: Base, checkout: CheckoutServices) -> Sweeps:
    """Build what expires discounts, and deletes what is past its retention."""
    return Sweeps(base.store, checkout.discounts.expire, base.clock, Intervals.of(base.settings.retention))


def _health(base: Base, committing: Committing) -> Health:
    """Build the checks of `GET /readyz`."""
    checked = partial(sending, base.store, base.clock)
    return Health(base.store, committing.committer, committing.recorders.health, destinations=checked)
