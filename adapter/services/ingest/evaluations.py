"""What is stored and returned in addition for operations that ask for their decisions.

With the key of each operation a digest of its content is kept, so that another content under the same id is
noticed. Their discounts have versions, so that an adapter can number its events. `note` does not run for a
batch while no such operation is in progress in this process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec.structs import asdict

from adapter.model.decisions import Decision
from adapter.model.discounts import Discount, DiscountRecord, VersionedDiscount
from adapter.model.operations import EventOccurred
from adapter.services.ingest.identities import IdentityGraph
from adapter.services.ingest.operation_documents import SOURCE
from adapter.services.ingest.result import EvaluatedResult, Result
from adapter.services.ingest.work_item import Work
from adapter.store.values import Changes

_DISCOUNTS = msgspec.json.Decoder(list[Discount])
_VERSIONED = msgspec.json.Decoder(list[VersionedDiscount])


class Evaluating:
    """Whether operations that ask for their decisions are in progress."""

    def __init__(self) -> None:
        self._count = 0

    @property
    def now(self) -> bool:
        """Whether there are any now."""
        return self._count > 0

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Hold that there are some, inside the block."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1


def content_of(document: dict[str, Any]) -> bytes:
    """Return the digest of an operation's document, apart from when it was received."""
    members = {name: value for name, value in document.items() if name != "received_at"}
    return blake2b(msgspec.json.encode(members, order="deterministic"), digest_size=16).digest()


def told(work: Work, held: Iterable[DiscountRecord]) -> list[Discount]:
    """Return discounts as the sender of a work is told of them: an operation's have their versions."""
    if work.source == SOURCE:
        return [VersionedDiscount.of(each.discount, each.version) for each in held]
    return [each.discount for each in held]


def told_before(work: Work, answer: bytes) -> list[Discount]:
    """Return the discounts of a stored answer."""
    return [*_VERSIONED.decode(answer)] if work.source == SOURCE else _DISCOUNTS.decode(answer)


def note(
    batch: Sequence[Work],
    fresh: Sequence[int],
    changes: Changes,
    results: list[Result],
    people: IdentityGraph,
) -> None:
    """Add the decisions to the results of new operations of a batch, and their contents to the changes."""
    places = [at for at in fresh if batch[at].source == SOURCE]
    if not places:
        return
    made: dict[tuple[str, str], Decision] = {}
    for decision in changes.decisions:
        made.setdefault((people.resolve(decision.source_id), decision.event_id), decision)
    for at in places:
        decisions = [made[key] for key in _events(batch[at], people) if key in made]
        results[at] = EvaluatedResult(**asdict(results[at]), decisions=decisions)
    changes.contents = {
        (SOURCE, batch[at].key): content_of(batch[at].document) for at in places if batch[at].document
    }


def _events(work: Work, people: IdentityGraph) -> dict[tuple[str, str], None]:
    """Return customer and id of the events of a work."""
    events = (each for each in work.operations if isinstance(each, EventOccurred))
    return {(people.resolve(each.source_id), each.event.id): None for each in events}
