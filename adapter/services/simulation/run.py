"""Simulate one or two rule books over traffic, from what was known before it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from time import perf_counter

from msgspec import Struct

from adapter.model.customers import LINKING, SOURCE_ID
from adapter.model.decisions import Decision
from adapter.model.event_names import EventNames
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.history.history import History
from adapter.services.ingest.work_item import Work
from adapter.services.simulation.comparison import Comparison
from adapter.services.simulation.observed import ObservedRules
from adapter.services.simulation.simulator import SLICE, Decided, Simulator
from adapter.services.simulation.state import State
from adapter.services.simulation.tally import Tally
from adapter.services.simulation.traffic import Traffic
from adapter.store.values import CustomerRecord

#: So many new objects come before each collection.
_COLLECTED = 200_000
#: Gets how many messages have been decided.
Progress = Callable[[int], None]


class Book(Struct):
    """One rule book under simulation, and what it has come to."""

    name: str
    rules: ObservedRules
    tally: Tally
    simulator: Simulator
    latest: list[Decision]

    @classmethod
    def of(
        cls,
        name: str,
        rules: RuleSet,
        traffic: Traffic,
        *,
        names: EventNames,
        explained: int | None = 0,
        pools: dict[str, int] | None = None,
    ) -> Book:
        """Return a book that knows the customers and the events before the traffic."""
        observed, tally = ObservedRules(rules, explained=explained), Tally()
        latest: list[Decision] = []

        def note(decided: Decided) -> None:
            tally.note(decided)
            latest.extend(decided.decisions)

        state = known_before(traffic, observed, names, State(pools))
        simulator = Simulator(observed, note, state=state, names=names, dedupe=not traffic.recorded)
        return cls(name, observed, tally, simulator, latest)


def known_before(traffic: Traffic, rules: RuleSet, names: EventNames, state: State) -> State:
    """Return the state before the window: customers with the history that the rules read, no discounts."""
    for customer in traffic.customers:
        state.customers[customer.source_id] = CustomerRecord(customer)
        pairs = [(SOURCE_ID, merged) for merged in customer.merged]
        pairs += [(kind, customer.identities[kind]) for kind in LINKING if kind in customer.identities]
        for pair in pairs:
            state.identities[pair] = customer.source_id
            state.named[customer.source_id].append(pair)
    histories: dict[str, History] = {}
    for source_id, event in traffic.history():
        history = histories.get(source_id)
        if history is None:
            history = histories[source_id] = History(names=names.digest)
        rules.fold(history, event)
    for source_id, history in histories.items():
        if source_id in state.customers:
            state.customers[source_id].history = history.encode()
    return state


class Simulated(Struct, frozen=True):
    """What books came to over the same traffic; `comparison` where there are two. `seconds` is how long."""

    books: Sequence[Book]
    comparison: Comparison | None
    seconds: float
    start: datetime
    end: datetime


def simulate(
    traffic: Traffic,
    books: Sequence[Book],
    until: datetime | None = None,
    progress: Progress = lambda _count: None,
) -> Simulated:
    """Decide the traffic by each book, the last two compared; what is due by `until` fires at its end."""
    comparison = Comparison(books[0].rules, books[1].rules) if len(books) == 2 else None
    began, count = perf_counter(), 0
    end = until or traffic.works.last
    with _few_collections():
        for chunk in _chunks(traffic.timed()):
            for book in books:
                book.simulator.run(chunk)
            _settle(books, comparison)
            count += len(chunk)
            progress(count)
        if end is not None:
            for book in books:
                book.simulator.advance(end)
            _settle(books, comparison)
    start = traffic.works.first or end
    assert (start is not None and end is not None) or not count  # noqa: S101 - both come with a message
    nothing = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return Simulated(books, comparison, perf_counter() - began, start or nothing, end or nothing)


@contextmanager
def _few_collections() -> Iterator[None]:
    """Have the garbage collector look less often: it would go through all customers again and again."""
    thresholds = gc.get_threshold()
    gc.set_threshold(_COLLECTED, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _settle(books: Sequence[Book], comparison: Comparison | None) -> None:
    """Compare what the books have just decided, and forget it."""
    if comparison is not None:
        comparison.note(books[0].latest, books[1].latest)
    for book in books:
        book.latest.clear()
        book.rules.asked.clear()


def _chunks(works: Iterator[Work]) -> Iterator[list[Work]]:
    while chunk := list(islice(works, SLICE)):
        yield chunk
