"""Commit a slice of an import: its effect, its position and its refused rows in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.model.deliveries import Recipients
from adapter.model.imports import ImportStep
from adapter.model.operations import EventOccurred
from adapter.services.environment import Environment
from adapter.services.ingest.history_completion import Unprepared
from adapter.services.ingest.pipeline import decide
from adapter.services.ingest.profile import facts_of_both
from adapter.services.ingest.result import Result
from adapter.services.ingest.steps import DecisionContext
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.store.contract import Store
from adapter.store.values import Changes

#: Completes the histories of customers before a slice is committed.
Complete = Callable[[Collection[str]], Awaitable[None]]
#: Makes the step that is saved with the results of a slice.
MakeStep = Callable[[Sequence[Result]], ImportStep]


class Piece(Struct, frozen=True):
    """Works of a slice. By place among them: customers as exports wrote them, and identities of events."""

    works: Sequence[Work]
    stored: dict[int, Customer] = {}
    identities: dict[int, bytes] = {}


class Slices:
    """Commits slices; nothing is pushed, and no timer begins."""

    def __init__(self, store: Store, files: LoadedFiles, world: Environment, complete: Complete) -> None:
        self._store = store
        self._files = files
        self._world = world
        self._complete = complete

    async def settle(self, piece: Piece, make_step: MakeStep, now: datetime) -> list[Result]:
        """Commit a slice; one result for each of its works. Raises Unavailable and ImportLost.

        `now` is the moment of decisions.
        """
        works = list(piece.works)
        while True:
            try:
                return await self._settled(replace(piece, works=works), make_step, now)
            except Unprepared as error:
                await self._complete(error.names)
                late = {id(work) for work in error.works}
                works = [replace(work, prepared=True) if id(work) in late else work for work in works]

    async def _settled(self, piece: Piece, make_step: MakeStep, now: datetime) -> list[Result]:
        rules, names = self._files.rules, self._files.mappings.names
        context = DecisionContext(
            now, self._world.draw, self._world.new_id, Recipients(), 0, names, secret=self._store.secret
        )

        def complete(changes: Changes, results: list[Result]) -> Changes:
            return _completed(changes, results, piece, make_step)

        result = await self._store.transact(
            lambda transaction: decide(transaction, piece.works, rules, context, complete)
        )
        return result.results


def _completed(changes: Changes, results: Sequence[Result], piece: Piece, make_step: MakeStep) -> Changes:
    """Return the changes of a slice: keys of events stay for ever, and nothing goes to quarantine."""
    rewarded = dict(changes.rewarded)
    for work, result in zip(piece.works, results, strict=True):
        if work.key and result.outcome == "processed":
            for each in work.operations:
                if isinstance(each, EventOccurred):
                    rewarded.setdefault((work.source, work.key), each.source_id)
                    break
    decided = [each for each in changes.decisions if each.unevaluated is None]
    found = replace_changes(
        changes,
        rewarded=rewarded,
        quarantine=[],
        decisions=decided,
        deliveries=[],
        armed=(),
        step=make_step(results),
    )
    if piece.stored:
        by_id = {each.source_id: each for each in piece.stored.values()}
        for record in found.customers:
            exported = by_id.get(record.customer.source_id)
            if exported is not None:
                record.customer = _restored(exported, record.customer)
                record.changed = True
    if piece.identities:
        found.events = [
            replace(new, identity=piece.identities[new.place[0]])  # type: ignore[index]
            if new.place[0] in piece.identities  # type: ignore[index]
            else new
            for new in found.events
        ]
    return found


def replace_changes(changes: Changes, **new: object) -> Changes:
    """Return changes with other members."""
    return replace(changes, **new)


def _restored(exported: Customer, current: Customer) -> Customer:
    """Return a customer with the facts of an export, of each fact the latest."""
    both = facts_of_both(exported, current)
    return replace(
        both,
        identities=exported.identities | current.identities,
        groups=exported.groups | current.groups,
        merged=tuple(dict.fromkeys((*exported.merged, *current.merged))),
    )
