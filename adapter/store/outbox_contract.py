"""The verbs of the outbox: deliveries are leased, settled, listed and retried, and destinations rest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from adapter.model.breakers import Breaker, Tally
from adapter.model.deliveries import DEAD, EVERYTHING, Delivery, DeliveryStatus, Pause, Selection
from adapter.model.pacing import UNPACED, Pacing
from adapter.model.pages import Page
from adapter.store.values import UNORDERED, DeliveryResult, Favour, HolderReading, Ordering, Render


class OutboxVerbs(Protocol):
    """What a dispatcher and operators ask of a store."""

    async def lease(
        self,
        now: datetime,
        until: datetime,
        limit: int,
        destination: str | None = None,
        render: Render | None = None,
        *,
        order: Ordering = UNORDERED,
        reading: HolderReading = "nothing",
        pacing: Pacing = UNPACED,
        favour: Favour | None = None,
    ) -> list[Delivery]:
        """Lease up to `limit` due deliveries until `until`, each with its `attempt` counted up.

        Only those for `destination` where it is named, so that the backlog of a slow endpoint does not delay
        another's. The longest due come first. A delivery under an earlier lease is not due. Two callers never
        get the same one. What `render` returns is stored with the lease, in one transaction: when this
        returns, every later lease has the same. Nothing is leased for a destination that is paused or whose
        breaker is open; while that is half-open, one delivery. `order` says of which customers no delivery is
        leased while an earlier one to the destination is due or leased. `reading` says what is found in
        `Delivery.holder`. `pacing` limits how many are leased in a second, by all callers together.

        With `favour`, and where more are due than `limit`, half of them are the latest that were never
        leased, and come first: so new ones need not wait for all of a backlog. They are only the first due
        of their customers at the destination: what belongs to one discount stays in its order. Of an odd
        number, or of one, `favour` says who gets it. `destination` must be named.
        """
        ...

    async def due_of(self, destination: str, source_ids: Collection[str], most: int) -> list[Delivery]:
        """Return the first `most` due deliveries of each customer to a destination, in their order.

        Leased ones are among them. `source_ids` are those of leased deliveries.
        """
        ...

    async def crowded(self, destination: str, above: int, limit: int) -> list[str]:
        """Return up to `limit` customers of whom more than `above` deliveries to a destination are due.

        Only customers with most of its longest due deliveries are looked at, so the cost does
        not follow the number of all that are due.
        """
        ...

    async def settle(self, settlements: Sequence[DeliveryResult], tally: Tally | None = None) -> int:
        """Record what came of leased deliveries; stale attempts are ignored. Returns how many counted.

        `tally` counts the requests for the breaker of their destination.
        """
        ...

    async def due_destinations(self) -> list[str]:
        """Return the names of the destinations of all due deliveries, by a cost that follows their number."""
        ...

    async def oldest_due(self) -> datetime | None:
        """Return when the oldest due delivery was made; None without one."""
        ...

    async def breakers(self) -> list[Breaker]:
        """Return the breakers that count failures or are open, by destination; a closed store is read too."""
        ...

    async def deliveries(
        self,
        status: str,
        limit: int = 100,
        destination: str | None = None,
        *,
        selection: Selection | None = None,
        after: str | None = None,
    ) -> Page[Delivery]:
        """Return a page of deliveries of one status, oldest first; `next` is given as `after`.

        Only those for `destination` where it is named, or those of a `selection`. A store that is not open
        can be read too, also while another process has it open.
        """
        ...

    async def revive(
        self,
        now: datetime,
        selection: Selection = EVERYTHING,
        statuses: Collection[DeliveryStatus] = DEAD,
    ) -> int:
        """Make selected deliveries due `now`; returns how many there were.

        A `dead` one begins a new round of attempts. One that is `due` later, and waits for its next attempt,
        goes on with its round; what is leased stays with its holder.
        """
        ...

    async def pause(self, pause: Pause) -> None:
        """Lease nothing for a destination in that time, in no process; a longer pause of it stays."""
        ...

    async def pauses(self, now: datetime) -> list[Pause]:
        """Return the pauses in force, by destination; a store that is not open is read too."""
        ...

    async def resume(self, destination: str | None = None) -> None:
        """End the pause of a destination and close its breaker; all of them without it."""
        ...
