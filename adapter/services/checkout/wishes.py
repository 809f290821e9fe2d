"""What one booking is asked for, and what every booking works with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from adapter.model.redemptions import Redemption
from adapter.pricing import Order
from adapter.services.checkout.candidates import TermsReader
from adapter.services.checkout.offers import SharedCodes
from adapter.services.checkout.pushes import Pushes
from adapter.services.checkout.replies import IdempotencyKey
from adapter.services.checkout.requests import Checkout


class BookingTools(Struct, frozen=True):
    """What every booking works with."""

    shared: SharedCodes
    read: TermsReader
    pushes: Pushes


class Wish(Struct, frozen=True, kw_only=True):
    """One booking that is asked for: the request with its order, None where a hold is redeemed as it is.

    `known` are redemptions and holds that it may be about, as they were before the transaction. `ttl` makes
    it a hold. `id` is that of the new redemption. Of an `unpriced` order the lines are not known: shared
    codes are redeemed without amounts, and the request's order has the attributes for their conditions.
    """

    request: Checkout
    order: Order | None
    now: datetime
    id: str
    known: Sequence[Redemption] = ()
    ttl: timedelta | None = None
    keyed: IdempotencyKey | None = None
    origin: Literal["checkout", "stream"] = "checkout"
    unpriced: bool = False

    @property
    def codes(self) -> list[str]:
        """All codes that it may be about."""
        return [*self.request.codes, *(use.code for each in self.known for use in each.uses)]
