"""The pending moves of one transaction: new ones, and those that a merge makes due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, cast

from msgspec.structs import replace

from adapter.errors import Pending, Refused, WrongMove
from adapter.model.discounts import DiscountRecord
from adapter.model.pending import MOST_PENDING, PendingMove, Verb, pending_id
from adapter.services.ingest.identities import IdentityGraph
from adapter.services.ingest.steps import Move

_OPEN: Final = ("issued", "applied")


class PendingMoves:
    """Collects moves of customers that do not hold the discount, and returns those of customers that now do.

    `kept` are the moves to store, `done` those to remove.
    """

    def __init__(self, people: IdentityGraph, stored: Iterable[PendingMove]) -> None:
        self._people = people
        self._stored = [move for move in stored if move.source_id not in people.gone]
        self._known = {(people.resolve(move.source_id), move.id) for move in self._stored}
        self._counts = Counter(mover for mover, _ in self._known)
        self.kept: list[PendingMove] = []
        self.done: list[PendingMove] = []

    def due(self, discounts: Mapping[str, DiscountRecord]) -> list[PendingMove]:
        """Return the moves whose customer now holds the discount, in the order of their times.

        The other moves of a visitor that was merged into a customer stay pending as that customer's.
        """
        due = []
        for move in self._stored:
            owner, held = self._people.resolve(move.source_id), discounts.get(move.code)
            if move.status == "pending" and held is not None and owner == held.source_id:
                due.append(move)
            elif owner != self._people.canonical(move.source_id):
                self.done.append(move)
                self.kept.append(replace(move, source_id=owner))
        return sorted(due, key=lambda move: (move.at, move.received_at, move.id))

    def wait(self, move: PendingMove, held: DiscountRecord) -> None:
        """Make a move of another customer than the holder pending, if it was possible at its time.

        Raises Pending with the reason when it is pending, WrongMove when the customer has too many of them.
        """
        if held.discount.status not in _OPEN or held.status_at(move.at) not in _OPEN:
            return
        if (move.source_id, move.id) not in self._known:
            if self._counts[move.source_id] >= MOST_PENDING:
                others = f"{MOST_PENDING} of the customer's moves are pending already"
                raise WrongMove(f"`{move.code}` belongs to another customer, and {others}")
            self._known.add((move.source_id, move.id))
            self._counts[move.source_id] += 1
            self.kept.append(move)
        raise Pending(move.reason)

    def refuse(self, move: PendingMove, refusal: Refused) -> None:
        """Store why a pending move was rejected."""
        self.kept.append(replace(move, status="refused", reason=refusal.message))


def to_wait(step: Move, held: DiscountRecord, mover: str, now: datetime) -> PendingMove:
    """Return a pending move, which waits until its customer is merged with the holder."""
    move, code = step.move, held.discount.code
    return PendingMove(
        id=pending_id(move, code, step.message),
        source_id=mover,
        verb=cast("Verb", move.verb),
        code=code,
        at=step.occurred_at or now,
        received_at=now,
        reason=f"`{code}` belongs to another customer; the move is pending until the two are merged",
        order_id=move.order_id,
        units=move.units,
        unit_type=move.unit_type,
    )
