"""What is left of erased people where others are: removed piece by piece, after the erasure has committed.

An erasure leaves the names of its person behind (`Store.forgotten`). Messages in quarantine and in the
journal that mention one of them are dropped. Email addresses and ids that no other customer holds are taken
out of the data that mention them: addresses by an index, ids by a pass over all data (`search`). Then the
names go too. Each transaction is small, so that messages are not held up, and may be done again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Container, Sequence
from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct

from adapter.model.customers import SOURCE_ID, Customer
from adapter.model.encoding import decode, encode
from adapter.model.journal import JournalRow, without
from adapter.model.mentions import Mentions, folded
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.model.removals import AddressRemoval, IdRemoval, Removal
from adapter.rules.history.history import History
from adapter.services.periodic import pause, tried
from adapter.services.privacy.address_owner import holds
from adapter.services.privacy.search import Pass
from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, CustomerRecord, Forgotten, LoadRequest, Place

#: So many erasures are finished by one look through the quarantine.
_ERASURES = 100
#: So many messages of the quarantine are looked at in one step.
_MESSAGES = 20
#: So many rows of the journal are looked at in one step.
_JOURNAL_ROWS = 5
_CUSTOMERS = 100
#: Customers of an older program whose addresses are noted in one transaction.
_SLICE = 20


class _Look(Struct):
    """One look for the names of some erasures: in the quarantine from `after` to `last`, in the journal
    likewise, by address, by id.

    `mentions` are of the erasures in their order, `together` of all; `removed` counts by erasure.
    """

    erasures: Sequence[Forgotten]
    mentions: Sequence[Mentions]
    together: Mentions
    addresses: list[str]
    last: int
    removed: Sequence[Counter[str]]
    search: Pass
    journal_last: int
    after: int = 0
    journal_after: int = 0


class Forgetting:
    """Finishes erasures, and notes whose addresses an older program stored; `common` are placeholders.

    Several processes may do so at once: what one has removed the next does not find.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        common: Container[str] = (),
        interval: timedelta = timedelta(seconds=5),
    ) -> None:
        self._store = store
        self._clock = clock
        self._common = common
        self._interval = interval
        self._alone = asyncio.Lock()
        self._look: _Look | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Do what there is to do until `stop` is set."""
        while not stop.is_set():
            if not await tried("finish erasures", self.step):
                await pause(stop, self._interval)

    async def finish(self) -> None:
        """Return once nothing is left of those who are erased by now. Raises Unavailable."""
        while await self.step():
            pass

    async def forget(self, source_id: str, address: str) -> int:
        """Take an address out of the data of one customer, in parts; returns how many rows changed."""
        return await self._remove(source_id, AddressRemoval(address))

    async def _remove(self, source_id: str, removal: Removal) -> int:
        changed, place = await self._store.transact(partial(self._part, source_id, removal, None))
        while place is not None:
            more, place = await self._store.transact(partial(self._part, source_id, removal, place))
            changed += more
        return changed

    async def _part(
        self, source_id: str, removal: Removal, after: Place | None, transaction: Transaction
    ) -> tuple[int, Place | None]:
        now = self._clock()
        if not source_id:
            return await transaction.redact(source_id, removal, after)
        loaded = await transaction.load(LoadRequest(customers=[source_id]), now)
        record = loaded.customers.get(loaded.identities.get((SOURCE_ID, source_id), source_id))
        if record is None:
            return 0, None
        removal = removal.sparing(_own(record.customer))
        rows, place = await transaction.redact(record.customer.source_id, removal, after)
        cleaned = _without(record, removal)
        if cleaned != record:
            await transaction.save(Changes(now, customers=[cleaned]))
        return rows + (cleaned.customer != record.customer), place

    async def step(self) -> bool:
        """Do a part of what there is to do; returns whether there was anything. Raises Unavailable."""
        async with self._alone:
            if not await self._store.note_addresses(_SLICE):
                return True
            self._look = look = self._look or await self._begun()
            if look is None:
                return False
            if look.after < look.last:
                await self._sweep(look)
            elif look.journal_after < look.journal_last:
                await self._sweep_journal(look)
            elif look.addresses:
                await self._forget_address(look)
            elif not look.search.done:
                await self._search(look)
            else:
                for erasure, removed in zip(look.erasures, look.removed, strict=True):
                    await self._store.finish_erasure(erasure, removed)
                self._look = None
            return True

    async def _begun(self) -> _Look | None:
        erasures = await self._store.forgotten(_ERASURES)
        if not erasures:
            return None
        together = Mentions((name for erasure in erasures for name in erasure.names), self._common)
        return _Look(
            erasures,
            [Mentions(erasure.names, self._common) for erasure in erasures],
            together,
            sorted(together.addresses),
            max(erasure.upto for erasure in erasures),
            [Counter() for _ in erasures],
            Pass(self._store, together.ids),
            max(erasure.journal_upto for erasure in erasures),
        )

    async def _sweep(self, look: _Look) -> None:
        """Drop the messages of one page of the quarantine that mention one of the erased."""
        page = await self._store.quarantined(look.after, _MESSAGES)
        for excerpt in page:
            message = await self._whole(excerpt)
            meant = await asyncio.to_thread(_meant, look, message) if message is not None else []
            if meant:
                await self._store.release_quarantined([excerpt.id])
            for at in meant:
                look.removed[at]["quarantined"] += 1
        look.after = page[-1].id if page else look.last

    async def _sweep_journal(self, look: _Look) -> None:
        """Remove the messages that mention one of the erased from some rows of the journal."""
        rows = await self._store.journal(look.journal_after, _JOURNAL_ROWS)
        for row in rows:
            found = await asyncio.to_thread(_mentioned, look, row)
            if found:
                await self._store.replace_journal(row.number, without(row, found))
            for erasures in found.values():
                for at in erasures:
                    look.removed[at]["messages"] += 1
        look.journal_after = rows[-1].number if rows else look.journal_last

    async def _whole(self, excerpt: Excerpt) -> Quarantined | None:
        if excerpt.truncated:
            return await self._store.quarantined_message(excerpt.id)
        return Quarantined(
            excerpt.source, excerpt.key, excerpt.document, excerpt.reason, excerpt.received_at, excerpt.id
        )

    async def _forget_address(self, look: _Look) -> None:
        """Take an address out of the data of all who mention it, unless it is another customer's own."""
        address, changed = look.addresses[-1], 0
        done: set[str] = set()
        # Those who take over others' data meanwhile come up in the next turn.
        while left := [each for each in await self._candidates(address) if each not in done]:
            if await self._held(left, address):
                break
            changed += sum([await self.forget(source_id, address) for source_id in left])
            done.update(left)
        for mentions, removed in zip(look.mentions, look.removed, strict=True):
            removed["mentions"] += changed * (address in mentions.addresses)
        look.addresses.pop()

    async def _search(self, look: _Look) -> None:
        """Read a slice of all data, and take the ids that it holds out of the data of its customers."""
        for source_id, found in (await look.search.step()).items():
            for mentions, removed in zip(look.mentions, look.removed, strict=True):
                if ids := found.intersection(map(folded, mentions.ids)):
                    removed["mentions"] += await self._remove(source_id, IdRemoval(ids))

    async def _candidates(self, address: str) -> list[str]:
        found: list[str] = []
        while page := await self._store.addressed(address, found[-1] if found else "", _CUSTOMERS):
            found += page
        return found

    async def _held(self, source_ids: Sequence[str], address: str) -> bool:
        for source_id in source_ids:
            if await holds(self._store, source_id, address):
                return True
        return False


def _meant(look: _Look, message: Quarantined) -> list[int]:
    """Return which erasures a message mentions the people of, if it came before them."""
    if not look.together.stand_in(message):
        return []
    return [
        at
        for at, (erasure, mentions) in enumerate(zip(look.erasures, look.mentions, strict=True))
        if message.id <= erasure.upto and mentions.stand_in(message)
    ]


def _mentioned(look: _Look, row: JournalRow) -> dict[int, list[int]]:
    """Return which erasures the messages of a row mention the people of, by the position of the message."""
    found = {}
    for position, entry in enumerate(row.entries()):
        if not look.together.may_stand_in(entry.document):
            continue
        message = entry.quarantined()
        erasures = [
            at
            for at, (erasure, mentions) in enumerate(zip(look.erasures, look.mentions, strict=True))
            if row.number <= erasure.journal_upto and mentions.stand_in(message)
        ]
        if erasures:
            found[position] = erasures
    return found


def _own(customer: Customer) -> set[str]:
    """Return the ids that are a customer's own, a device's among them."""
    return customer.names() | {customer.known_as, *customer.identities.values(), *customer.merged} - {""}


def _without(record: CustomerRecord, removal: Removal) -> CustomerRecord:
    """Return a customer and their history without what is removed."""
    history = record.history
    if history:
        rewritten = History.decode(history).rewritten(removal.text)
        history = history if rewritten == History.decode(history) else rewritten.encode()
    body = encode(record.customer)
    kept = removal.document(body, "customers")
    return CustomerRecord(record.customer if kept == body else decode(kept, Customer), history, record.size)
