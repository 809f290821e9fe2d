"""A message decided again: by the files in force, over what the journal has of its customer.

The messages of the customer are mapped and decided in their order by the code that decides live, in memory.
So the customer and the verdicts are those of the time where the files have not changed since, the journal has
the customer's past, and no limit over all customers was reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.model.journal import JournalRow
from adapter.model.operations import EventOccurred
from adapter.services.arrivals.filters import Arrived
from adapter.services.dry_runs.rehearsal import JudgingRules, Rehearsed
from adapter.services.dry_runs.report import DryRunResult, Masked, result_of
from adapter.services.ingest.mapper import Mapper, OperationMapper, Policy
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.services.simulation.simulator import Decided, Simulator
from adapter.sources.registry import SOURCES
from adapter.store.contract import Store

#: Rows of a customer that are read at most, and messages that are decided again.
MOST_ROWS: Final = 200
MOST_MESSAGES: Final = 500
#: Outcomes of messages that changed nothing.
_WITHOUT_EFFECT: Final = frozenset(("duplicate", "ignored", "quarantined", "refused"))
_NO_POOL: Final = Masked(frozenset())


class Recomputed(Struct, frozen=True):
    """What the files in force make of a message: the customer with it, and the verdicts of rules.

    It comes from `messages` of the customer since the first, this one included. With `cut` there are earlier
    ones in the journal that were not read.
    """

    customer: Customer | None
    result: DryRunResult
    messages: int
    since: datetime
    cut: bool


async def past_of(store: Store, arrived: Arrived, names: frozenset[str]) -> tuple[list[Arrived], bool]:
    """Return the customer's messages up to this one, the oldest first, and whether there are earlier ones.

    `names` are all of the customer's. Raises Unavailable.
    """
    first = next(iter(arrived.entry.names), "")
    rows = await store.latest_journal_of(first, arrived.number + 1, MOST_ROWS) if first else []
    cut = len(rows) == MOST_ROWS
    found = await asyncio.to_thread(_named, rows[::-1], names, arrived)
    return found[-MOST_MESSAGES:], cut or len(found) > MOST_MESSAGES


def recompute(files: LoadedFiles, policy: Policy, past: Sequence[Arrived], *, cut: bool) -> Recomputed | None:
    """Decide messages of one customer again; None where the last, which is asked about, is not mapped."""
    works = list(_works(files, policy, past))
    if not works or works[-1].quarantine is not None or works[-1].key != past[-1].entry.key:
        return None
    rules, decided = JudgingRules(files.rules), list[Decided]()
    simulator = Simulator(rules, decided.append, names=files.mappings.names)
    simulator.run(works[:-1])
    decided.clear()
    rules.judged.clear()
    simulator.run(works[-1:])
    last = decided[-1]
    rehearsed = Rehearsed(list(last.results), last.changes, rules.judged)
    result = result_of(last.works[-1], last.results[-1], rehearsed, _NO_POOL)
    customer = _customer(simulator, works[-1])
    return Recomputed(customer, result, len(works), works[0].received_at, cut)


def _named(rows: Iterable[JournalRow], names: frozenset[str], until: Arrived) -> list[Arrived]:
    return [
        Arrived(row.number, place, entry)
        for row in rows
        for place, entry in enumerate(row.entries())
        if not names.isdisjoint(entry.names) and (row.number, place) <= (until.number, until.place)
    ]


def _works(files: LoadedFiles, policy: Policy, past: Sequence[Arrived]) -> Iterator[Work]:
    """Yield what the files make of messages; of those before the last only what was taken at the time."""
    at = past[0].entry.received_at
    for each in past:
        entry, message = each.entry, each.entry.message()
        is_last = each is past[-1]
        if message is None or (entry.outcome in _WITHOUT_EFFECT and not is_last):
            continue
        at = max(at, entry.received_at)
        kind = Mapper if entry.source in SOURCES else OperationMapper
        [work] = kind(files, policy, partial(_same, at)).works([message])
        if work is not None and (work.quarantine is None or is_last):
            yield replace(work, decided_at=at)


def _same(moment: datetime) -> datetime:
    return moment


def _customer(simulator: Simulator, work: Work) -> Customer | None:
    """Return the customer of a message as the simulation knows them."""
    state = simulator.state
    for operation in sorted(work.operations, key=lambda each: each.__class__ is not EventOccurred):
        source_id = getattr(operation, "source_id", None)
        if source_id is None:
            continue
        key = state.identities.get(("source_id", source_id), source_id)
        if (record := state.customers.get(key)) is not None:
            return record.customer.named()
    return None
