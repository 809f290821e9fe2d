"""The verbs of forwarding, which are part of the contract of a store."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from adapter.store.forwarding_values import CallLimits, MakeDelivery, Refusal


class ForwardingVerbs(Protocol):
    """What is to be forwarded, and how many calls a destination takes."""

    async def forward(
        self, now: datetime, destination: str, make: MakeDelivery, *, limit: int, backlog: int
    ) -> int:
        """Move up to `limit` due forwards of a destination to the outbox, and return how many.

        What `make` returns of the customer as it is then is stored in their place, in one transaction: a
        change that was committed before is in it, and one that is committed later is forwarded again. None
        are moved while `backlog` deliveries of the destination are due. Two callers never get the same
        forward.
        """
        ...

    async def spend(self, now: datetime, destination: str, calls: int, limits: CallLimits) -> Refusal | None:
        """Count calls that are about to be made; where a limit refuses them, nothing is counted."""
        ...
