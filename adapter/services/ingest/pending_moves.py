"""The pending moves of one transaction: those that wait from now on, and those that a merge makes due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from adapter.errors import Pending, Refused, WrongMove
from adapter.model.discounts import DiscountRecord
from adapter.model.pending import MOST_PENDING, PendingMove
from adapter.services.ingest.identities import IdentityGraph

_OPEN: Final = ("issued", "applied")


class PendingMoves:
    """Keeps moves by customers who do not hold the discount, and returns those of customers who do by now.

    `kept` are those to be stored, `done` those to be removed.
    """

    def __init__(self, people: IdentityGraph, stored: Iterable[PendingMove]) -> None:
        self._people = people
        self._stored = [move for move in stored if move.source_id not in people.gone]
        self._known = {(people.behind(move.source_id), move.id) for move in self._stored}
        self._counts = Counter(mover for mover, _ in self._known)
        self.kept: list[PendingMove] = []
        self.done: list[PendingMove] = []

    def due(self, discounts: Mapping[str, DiscountRecord]) -> list[PendingMove]:
        """Return the moves whose customer holds the discount by now, in the order in which they happened.

        The other moves of a visitor who turns out to be a customer go on waiting as that customer's.
        """
        due = []
        for move in self._stored:
            owner, held = self._people.behind(move.source_id), discounts.get(move.code)
            if move.status == "pending" and held is not None and owner == held.source_id:
                due.append(move)
            elif owner != self._people.canonical(move.source_id):
                self.done.append(move)
                self.kept.append(replace(move, source_id=owner))
        return sorted(due, key=lambda move: (move.at, move.received_at, move.id))

    def wait(self, move: PendingMove, held: DiscountRecord) -> None:
        """Keep a move by another customer than the holder, if it was possible when it happened.

        Raises Pending with the reason when it is kept, WrongMove when too many of the customer wait already.
        """
        if held.discount.status not in _OPEN or held.status_at(move.at) not in _OPEN:
            return
        if (move.source_id, move.id) not in self._known:
            if self._counts[move.source_id] >= MOST_PENDING:
                others = f"{MOST_PENDING} of the customer's moves wait already"
                raise WrongMove(f"`{move.code}` belongs to another customer, and {others}")
            self._known.add((move.source_id, move.id))
            self._counts[move.source_id] += 1
            self.kept.append(move)
        raise Pending(move.reason)

    def refuse(self, move: PendingMove, refusal: Refused) -> None:
        """Keep why a move that has waited cannot be done."""
        self.kept.append(replace(move, status="refused", reason=refusal.message))
