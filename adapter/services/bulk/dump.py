"""Everything that the store has of a kind, row by row: it can be imported again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from adapter.errors import InvalidImport
from adapter.model.codes import folded
from adapter.model.customers import Customer
from adapter.model.discounts import DiscountRecord
from adapter.model.encoding import encode
from adapter.model.events import Event, User
from adapter.model.redemptions import Redemption
from adapter.rules.engine.evaluate import view_of
from adapter.rules.history.history import History
from adapter.services.bulk.dumped_vouchers import voucher_row
from adapter.services.loaded_files import LoadedFiles
from adapter.store.contract import Store

DumpKind = Literal["customers", "events", "discounts", "decisions", "redemptions", "codes"]
#: Rows that are read at a time.
_PAGE = 500
#: The number of customers of which membership in the segment is cached.
_REMEMBERED = 5_000
Row = dict[str, Any]


class Filters(Struct, frozen=True, kw_only=True):
    """Which rows: from `since` on and before `until`, of customers in a `segment`, of a `rule`.

    Of a customer the time is that of the latest fact, of a discount that of its issue.
    """

    since: datetime | None = None
    until: datetime | None = None
    segment: str = ""
    rule: str = ""

    def at(self, moment: datetime) -> bool:
        """Return whether a moment is within the time."""
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)


class Dump:
    """Reads rows of one kind from a store, in pages."""

    def __init__(
        self,
        store: Store,
        files: LoadedFiles,
        clock: Callable[[], datetime],
        kind: DumpKind,
        filters: Filters,
    ) -> None:
        self._store = store
        self._files = files
        self._now = clock()
        self.kind = kind
        self._filters = filters
        self._members: dict[str, bool] = {}

    def rows(self) -> AsyncIterator[Row]:
        """Return the rows, as JSON values, of which an import makes the same."""
        readers: dict[DumpKind, Callable[[], AsyncIterator[Row]]] = {
            "customers": self._customers,
            "events": self._events,
            "discounts": self._discounts,
            "decisions": self._decisions,
            "redemptions": self._redemptions,
            "codes": self._codes,
        }
        return readers[self.kind]()

    async def _customers(self) -> AsyncIterator[Row]:
        after, filters = "", self._filters
        while page := await self._store.dump_customers(after, _PAGE):
            for key, customer, history in page:
                after = key
                if self._is_timely(customer) and (not filters.segment or self._is_in(customer, history)):
                    said = {**msgspec.structs.asdict(customer), "known_as": ""}
                    del said["version"]
                    yield _plain(said)

    def _is_timely(self, customer: Customer) -> bool:
        filters = self._filters
        if filters.since is None and filters.until is None:
            return True
        latest = max(customer.told_at.values(), default=None)
        return latest is not None and filters.at(datetime.fromtimestamp(latest / 1000, self._now.tzinfo))

    async def _events(self) -> AsyncIterator[Row]:
        filters, after = self._filters, ("", -(2**63), "", b"")
        while page := await self._store.dump_events(after, filters.since, filters.until, _PAGE):
            for key, event in page:
                after = key
                if await self._takes(key[0]):
                    yield _event(key[0], key[3], event)

    async def _decisions(self) -> AsyncIterator[Row]:
        filters, after = self._filters, ("", -(2**63), -1)
        while page := await self._store.dump_decisions(after, filters.since, filters.until, _PAGE):
            for key, decision in page:
                after = key
                rules = {outcome.rule for outcome in decision.outcomes}
                if (not filters.rule or filters.rule in rules) and await self._takes(decision.source_id):
                    yield _plain(self._files.rules.complete(decision))

    async def _discounts(self) -> AsyncIterator[Row]:
        filters, after = self._filters, ""
        while True:
            page = await self._store.issued(after, _PAGE)
            for issued in page:
                held = issued.held
                wanted = filters.at(held.issued_at) and filters.rule in {"", held.rule}
                if wanted and await self._takes(held.source_id):
                    yield _discount(held)
            if page.next is None:
                return
            after = page.next

    async def _redemptions(self) -> AsyncIterator[Row]:
        filters, before = self._filters, None
        while True:
            page = await self._store.redemptions("all", "", _PAGE, before)
            for found in page:
                rules = {use.rule for use in found.uses}
                wanted = filters.at(found.at) and (not filters.rule or filters.rule in rules)
                if wanted and await self._takes(found.source_id):
                    yield _redemption(found)
            if page.next is None:
                return
            before = page.next

    async def _codes(self) -> AsyncIterator[Row]:
        if self._filters != Filters():
            raise InvalidImport("codes have no time, no customer and no rule: leave the filters out")
        after = ""
        while page := await self._store.vouchers_after(after, _PAGE):
            used = await self._store.used(
                [(claim.scope, claim.key) for each in page for claim in each.claims]
            )
            for each in page:
                after = folded(each.code)
                yield voucher_row(each, used)

    async def _takes(self, source_id: str) -> bool:
        """Return whether a customer is in the segment, where one is named."""
        if not self._filters.segment:
            return True
        known = self._members.get(source_id)
        if known is None:
            held = await self._store.held(source_id, apart=True)
            known = held.customer is not None and self._is_in(held.customer, held.history)
            if len(self._members) >= _REMEMBERED:
                self._members.clear()
            self._members[source_id] = known
        return known

    def _is_in(self, customer: Customer, history: bytes) -> bool:
        past = History.decode(history)
        past.rename(self._files.mappings.names)
        event = Event("", "", self._now, User(customer.source_id), {}, {})
        view = view_of(event, customer, past, self._now)
        return self._files.rules.segments.of(customer, view, event).get(self._filters.segment) is True


def _plain(value: Any) -> Row:
    """Return a value of the model as JSON values; numbers stay exact."""
    found: Row = msgspec.json.decode(encode(value))
    return found


def _event(source_id: str, identity: bytes, event: Event) -> Row:
    user = {f"user.{name}": value for name, value in _plain(event.user).items()}
    row: Row = {
        "id": event.id,
        "name": event.name,
        "occurred_at": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "source_id": source_id,
        **user,
        "attributes": _plain(event.attributes),
        "context": _plain(event.context),
    }
    if identity:
        row["import.identity"] = identity.hex()
    return row


def _discount(held: DiscountRecord) -> Row:
    whole = _plain(held)
    discount = whole["discount"]
    action = discount["action"]
    return {
        "code": discount["code"],
        "source_id": held.source_id,
        "rule": held.rule,
        "event_id": held.event_id,
        "status": discount["status"],
        "type": action["type"],
        "value": action.get("value"),
        "issued_at": whole["issued_at"],
        "moved_at": whole["moved_at"],
        "expires_at": discount["expires_at"],
        "record": whole,
    }


def _redemption(found: Redemption) -> Row:
    whole = _plain(found)
    return {
        name: whole.get(name)
        for name in ("id", "source_id", "order_id", "state", "at", "until", "currency", "uses", "order")
    }
