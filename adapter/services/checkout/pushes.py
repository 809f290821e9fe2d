"""What destinations are sent of a booking: the discounts that moved, and the redemption with its amounts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType

from adapter.model.actions import StoreCredit, UnitOff
from adapter.model.deliveries import Delivery, OutboxEvent, Recipients
from adapter.model.discounts import DiscountRecord
from adapter.model.encoding import encode
from adapter.model.environments import DEVELOPMENT
from adapter.model.redemptions import Redemption

_BY_STATUS = {
    "issued": "discount.released",
    "applied": "discount.applied",
    "redeemed": "discount.redeemed",
    "expired": "discount.expired",
    "revoked": "discount.revoked",
}

#: An event, whose it is, which destinations its rule chose, and whether it is development traffic.
_Event = tuple[OutboxEvent, str, Collection[str] | UnsetType, bool]


class Pushes(Struct, frozen=True):
    """Where pushes go; `new_id` returns a unique id, `note_held_back` gets each destination left out.

    A destination is left out of events of development traffic that it does not receive.
    """

    destinations: Recipients
    new_id: Callable[[], str]
    note_held_back: Callable[[str], None] = lambda destination: None

    def of(
        self, kind: str, data: Any, booked: Redemption, moved: Iterable[DiscountRecord], now: datetime
    ) -> Sequence[Delivery]:
        """Return the deliveries of one booking, which is now as `booked`; `data` is what is told of it."""
        if not self.destinations.events:
            return ()
        records = list(moved)
        development = any(held.is_development for held in records)
        booking = OutboxEvent(
            kind,
            now,
            data,
            environment=DEVELOPMENT if development else UNSET,
            version=booked.revision + 1,
        )
        events: list[_Event] = [
            (OutboxEvent.about(_kind(held), now, held), held.source_id, held.push, held.is_development)
            for held in records
        ]
        events.append((booking, booked.source_id, _of_any(records), development))
        return [
            Delivery(
                id=f"msg_{self.new_id()}",
                destination=destination,
                source_id=owner,
                type=event.type,
                event=Raw(encode(event)),
                created_at=now,
                due_at=now,
            )
            for event, owner, push, test in events
            for destination in self._recipients(event.type, owner, push, development=test)
        ]

    def _recipients(
        self, type_: str, owner: str, push: Collection[str] | UnsetType, *, development: bool
    ) -> list[str]:
        names = self.destinations.of(type_, push)
        if not owner:
            names = [name for name in names if name not in self.destinations.of_customers]
        if not development:
            return names
        left_out = self.destinations.held_back(names)
        for name in left_out:
            self.note_held_back(name)
        return [name for name in names if name not in left_out]


def _of_any(records: Sequence[DiscountRecord]) -> Collection[str] | UnsetType:
    """Return where a booking is sent: to each destination that receives one of its discounts."""
    names: set[str] = set()
    for record in records:
        if record.push is UNSET:
            return UNSET
        names.update(record.push)
    return names if records else UNSET


def _kind(held: DiscountRecord) -> str:
    action, status = held.discount.action, held.discount.status
    spent = isinstance(action, StoreCredit | UnitOff) and action.remaining < action.value
    if held.benefits is not UNSET:
        spent = held.discount.begun
    return "discount.used" if status == "issued" and spent else _BY_STATUS[status]
