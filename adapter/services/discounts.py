"""The native discount API: read and move discounts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

from adapter.discounts import lifecycle
from adapter.errors import NotFound, Unavailable, Unreadable, WrongMove
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.discounts import Discount, DiscountRecord
from adapter.model.emails import normal
from adapter.model.encoding import encode
from adapter.model.events import Event
from adapter.model.ignored import Ignored
from adapter.model.operations import DiscountMove
from adapter.model.pages import Page
from adapter.model.pending import PendingMove
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store

#: The number of a customer's latest decisions that are searched for those on one event.
_LATEST = 1_000
#: The most customers that are returned for one email address.
_MOST_WITH = 100


class DiscountService:
    """Reads and moves for a shop's checkout and its support desk.

    Reads raise Unavailable when the store cannot be read, or exceeds `patience`. `release_hold` ends a hold
    of the checkout.
    """

    def __init__(
        self,
        store: Store,
        committer: GroupCommitter,
        books: LoadedFiles,
        clock: Callable[[], datetime],
        patience: ReadTimeout,
        *,
        release_hold: Callable[[str], Awaitable[object]] | None = None,
    ) -> None:
        self._release_hold = release_hold
        self._store = store
        self._books = books
        self._committer = committer
        self._clock = clock
        self._read = patience.read

    async def move(self, move: DiscountMove, idempotency_key: str | None = None) -> Discount:
        """Move a discount, durably; with an idempotency key a repeated call gets the first response.

        A call is repeated when all its arguments are equal: a key that is used for another order, or by
        another customer, is a new call. A call that was rejected under a key stays rejected.
        Raises NotFound or WrongMove with the reason, Unavailable when it should be retried.
        """
        key = f"{_named(move)} {idempotency_key}" if idempotency_key else ""
        [result] = await self._committer.submit([Work("api", key, "", self._clock(), (move,))])
        if result.discounts:
            return (
                await self._released(result.discounts[0]) if move.verb == "release" else result.discounts[0]
            )
        if result.error == WrongMove.code:
            raise WrongMove(result.reason or "the discount does not allow this move")
        if result.error == Unavailable.code:
            raise Unavailable("the discount could not be moved; try again")
        if result.outcome == "duplicate":
            await self._read(self._refuse_again(move))
        raise NotFound(result.reason or f"no discount `{move.code}` was issued here")

    async def _released(self, discount: Discount) -> Discount:
        """End the checkout's hold that still reserves a released discount, with all its codes."""
        held = await self._store.discount(discount.code)
        if self._release_hold is not None and held is not None and held.terms.held_by is not None:
            with suppress(NotFound):
                await self._release_hold(held.terms.held_by)
        return discount

    async def _refuse_again(self, move: DiscountMove) -> None:
        """Raise WrongMove for a repeated call that was rejected: with the current reason, if there is one.

        Only successful moves are stored with their response.
        """
        held = await self._store.discount(move.code)
        if held is None:
            return
        mover = None if move.source_id is None else await self._store.customer(move.source_id)
        lifecycle.moved(held, move, mover.source_id if mover else move.source_id, self._clock())
        raise WrongMove("the first call with this Idempotency-Key was rejected; use another key to try again")

    async def expire(self, codes: Sequence[str]) -> int:
        """Record the expiry of discounts and release their reservations; returns their number."""
        works = [Work("expiry", "", code, self._clock(), (DiscountMove("expire", code),)) for code in codes]
        results = await self._committer.submit(works)
        return sum(1 for result in results if result.discounts)

    async def discount(self, code: str) -> Discount:
        """Return a discount with its current status; raises NotFound."""
        held = await self._read(self._store.discount(code))
        if held is None:
            raise NotFound(f"no discount `{code}` was issued here")
        return self._standing(held)

    async def discounts(self, source_id: str, before: str | None = None) -> Page[Discount]:
        """Return a page of a customer's discounts with their current status, newest first."""
        found = await self._read(self._store.discounts(source_id, before=before))
        return found.of(map(self._standing, found))

    async def pending_moves(self, source_id: str) -> list[PendingMove]:
        """Return a customer's pending moves, and those rejected after a merge; oldest first."""
        return await self._read(self._store.pending_moves(source_id=source_id))

    async def pending_moves_of(self, code: str) -> list[PendingMove]:
        """Return the pending moves of a discount, and those rejected later; raises NotFound."""
        known = (await self.discount(code)).code
        return await self._read(self._store.pending_moves(code=known))

    async def customer(self, source_id: str) -> Customer:
        """Return a customer; raises NotFound."""
        customer = await self._read(self._store.customer(source_id))
        if customer is None:
            raise NotFound("no such customer")
        return customer

    async def customers_with(self, email: str) -> list[Customer]:
        """Return the customers whose own email address this is, in any spelling, at most 100.

        Raises Unreadable where it is no address, Unavailable while addresses are not indexed yet.
        """
        address = normal(email)
        if address is None:
            raise Unreadable("`email` is no email address: write it as in ann@example.org")
        return await self._read(self._customers_with(address))

    async def _customers_with(self, address: str) -> list[Customer]:
        found, after = list[Customer](), ""
        while len(found) < _MOST_WITH and (page := await self._store.addressed(address, after)):
            after = page[-1]
            for source_id in page:
                customer = await self._store.customer(source_id)
                if customer is not None and address in customer.addresses():
                    found.append(customer)
        return found[:_MOST_WITH]

    async def events(self, source_id: str, before: str | None = None) -> Page[Event]:
        """Return a page of a customer's events, latest first."""
        found = await self._read(self._store.events(source_id, before=before))
        return found.of(map(self._books.mappings.names.renamed, found))

    async def decisions(self, source_id: str, before: str | None = None) -> Page[Decision]:
        """Return a page of a customer's decisions, newest first."""
        return await self._read(self._store.decisions(source_id, before=before))

    async def decisions_on(self, source_id: str, event_id: str) -> list[Decision]:
        """Return the decisions on one event, among a customer's latest, with a sentence for every rule."""
        asked = await self._read(self._decisions_on(source_id, event_id))
        # Thousands of rules take a second, so this runs in a thread.
        return [await asyncio.to_thread(self._books.rules.complete, decision) for decision in asked]

    async def _decisions_on(self, source_id: str, event_id: str) -> list[Decision]:
        asked, before, seen = list[Decision](), None, 0
        while seen < _LATEST:
            page = await self._store.decisions(source_id, _LATEST - seen, before)
            asked += [decision for decision in page if decision.event_id == event_id]
            seen, before = seen + len(page), page.next
            if before is None:
                break
        return asked

    async def quarantined_of(self, source_id: str) -> list[Excerpt]:
        """Return the latest quarantined messages that name a customer."""
        return await self._read(self._store.quarantined_of(source_id))

    async def ignored(self) -> list[Ignored]:
        """Return which messages no mapping takes, the latest first."""
        return await self._read(self._store.ignored())

    async def quarantined(self, before: int | None = None) -> list[Excerpt]:
        """Return the latest quarantined messages, or the latest of those with an id below `before`."""
        return await self._read(self._store.latest_quarantined(before))

    async def quarantined_message(self, id_: int) -> Quarantined:
        """Return a quarantined message, whole; raises NotFound."""
        found = await self._read(self._store.quarantined_message(id_))
        if found is None:
            raise NotFound(f"there is no message {id_} in quarantine; it was replayed or deleted")
        return found

    def _standing(self, held: DiscountRecord) -> Discount:
        status = held.status_at(self._clock())
        discount = held.discount
        return discount if status == discount.status else discount.as_of(status)


def _named(move: DiscountMove) -> str:
    """Return a move as text; one without a unit type as before codes had several benefits."""
    return encode(move).decode().replace(',"unit_type":null', "")
