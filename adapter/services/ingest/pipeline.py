"""The ingest pipeline, in the order of its steps.

    decode         a source turns the body into messages, here part by part where it is long
    map            the mapping files turn a message into operations (mapper.py)
    submit         queued messages are committed in one transaction (group_commit.py)
    in that transaction, `decide`:
      load         the data that the batch needs (load.py)
      decide       customers and events (apply.py), then discounts (issue.py)
      reserve      the guardrail counters that discounts could need, always in the same order
      save         the changes (save.py)
    after commit   the dispatcher is woken, timers are counted, decisions are logged

`Ingest` executes the first three steps, `Transactions` the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from adapter.errors import Unreadable
from adapter.metrics import Metrics
from adapter.model.deliveries import Recipients
from adapter.model.forwards import ForwardTo
from adapter.model.messages import Message
from adapter.model.quarantine import Quarantined, packed
from adapter.rules.engine.ruleset import RuleSet
from adapter.services import decision_log
from adapter.services.environment import Environment
from adapter.services.ingest import evaluations, load, save
from adapter.services.ingest.apply import ApplyPass
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.evaluations import Evaluating
from adapter.services.ingest.issue import IssuePass
from adapter.services.ingest.journal import Journal, Record
from adapter.services.ingest.mapper import Mapper, ignored
from adapter.services.ingest.order_bookings import OrderBookings, of_orders
from adapter.services.ingest.outcome_counts import OutcomeCounts
from adapter.services.ingest.result import CommitResult, Result
from adapter.services.ingest.slot_merges import slot_merges
from adapter.services.ingest.steps import DecisionContext
from adapter.services.ingest.timer_capacity import TimerCapacity
from adapter.services.ingest.work_item import Work, parts_of
from adapter.services.loaded_files import LoadedFiles
from adapter.settings.values import Settings
from adapter.sources.decoded_body import Decoded
from adapter.store.checkout_values import BookingRequest
from adapter.store.contract import Store
from adapter.store.transaction_contract import OnLocksAcquired, Transaction
from adapter.store.values import Changes
from adapter.tasks import unheard

#: Returns the changes to save instead of those that a batch has come to, given its results.
Complete = Callable[[Changes, list[Result]], Changes]
#: Messages of one body that are committed together.
SLICE = 350
#: Messages of a part that are mapped before the event loop gets control.
_STRETCH = 50
#: Seconds for the committer to start with a part, before the next one occupies the event loop.
_HEAD_START = 0.001


class Committer(Protocol):
    """Commits works, or has them committed."""

    async def submit(self, works: Sequence[Work], size: int = 0) -> list[Result]:
        """Commit works in order; their results once durable. Raises Unavailable."""
        ...


class Ingest:
    """Decodes, maps and submits.

    `note_ignored` gets each message that no mapping takes; `orders` books what messages say of orders.
    `journal` records what is not committed.
    """

    def __init__(
        self,
        mapper: Mapper,
        committer: Committer,
        counts: OutcomeCounts,
        note_ignored: Callable[[Message], None] = lambda message: None,
        orders: OrderBookings | None = None,
        *,
        journal: Journal | None = None,
    ) -> None:
        self._mapper = mapper
        self._committer = committer
        self._counts = counts
        self._note_ignored = note_ignored
        self._orders = orders
        self._journal = journal or Journal(on=False)

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources for which the current files have mappings."""
        return self._mapper.sources

    @property
    def longest(self) -> int:
        """The maximum size of a document: it contains parts of the message several times."""
        return self._mapper.longest

    def note_refused(self, source: str, body: bytes, error: Unreadable, at: datetime) -> None:
        """Record a body that could not be read."""
        self._journal.note_refused(source, body, error.message, at)

    async def receive(self, decoded: Decoded, size: int = 0) -> list[Result]:
        """Commit decoded messages; one result each, the quarantined ones last.

        `size` is that of the request in bytes. Raises Unavailable when it should be sent again.
        """
        if len(decoded.messages) > SLICE:
            return await self.receive_parts(_parts(decoded, size))
        works, results = self._map(decoded.messages, decoded.quarantined)
        return await self._submit(decoded, works, results, size)

    async def receive_parts(self, parts: Iterable[Decoded]) -> list[Result]:
        """Commit a body part by part, in order: one is decoded and mapped while the previous is committed.

        At most these two of one body are in memory, so that other requests are served between its parts. The
        results of each part end with its quarantined ones. When a part fails, the whole body is sent again,
        and the committed parts are duplicates then. Raises Unavailable as `receive` does.
        """
        answers: list[Result] = []
        before: asyncio.Task[list[Result]] | None = None
        for part in parts:
            works, results = await self._map_in_turns(part)
            answers += await before if before is not None else ()
            before = unheard(asyncio.create_task(self._submit(part, works, results, part.size)))
            await asyncio.sleep(_HEAD_START)
        return answers + (await before if before is not None else [])

    def preview(self, message: Message) -> Result:
        """Return the result of mapping a message, without storing it."""
        [work] = self._mapper.works([message])
        if work is None:
            return ignored(message)
        if work.quarantine is not None:
            return Result(work.message_id, "quarantined", work.quarantine.reason)
        return Result(work.message_id, "processed")

    async def _map_in_turns(self, part: Decoded) -> tuple[list[Work], list[Result | None]]:
        """Return as `_map` does; the event loop gets control every few messages."""
        works, results = self._map(part.messages[:_STRETCH], ())
        for start in range(_STRETCH, len(part.messages), _STRETCH):
            await asyncio.sleep(0)
            more, coming = self._map(part.messages[start : start + _STRETCH], ())
            works += more
            results += coming
        # Compressing a long document takes a while, and only the compressed form stays in memory.
        kept = part.quarantined
        more, coming = self._map((), await asyncio.to_thread(_packed, kept) if kept else ())
        return works + more, results + coming

    def _map(
        self, messages: Sequence[Message], quarantined: Sequence[Quarantined]
    ) -> tuple[list[Work], list[Result | None]]:
        """Return the works to commit, and the results; None for those that the commit will return."""
        results: list[Result | None] = []
        works: list[Work] = []
        for message, work in zip(messages, self._mapper.works(messages), strict=True):
            results.append(ignored(message) if work is None else None)
            if work is not None:
                works.append(work)
            else:
                self._note_ignored(message)
                self._journal.note_ignored(message)
        for kept in quarantined:
            results.append(None)
            works.append(Work(kept.source, kept.key, kept.key, kept.received_at, quarantine=kept))
        return works, results

    async def _submit(
        self, decoded: Decoded, works: Sequence[Work], results: Sequence[Result | None], size: int
    ) -> list[Result]:
        places = of_orders(works) if self._orders is not None else []
        settled = await (self._book(works, places, size) if places else self._settle(works, size))
        self._counts.flag(works, settled)
        coming = iter(settled)
        answers = [next(coming) if result is None else result for result in results]
        self._counts.count(decoded, answers)
        return answers

    async def _settle(self, works: Sequence[Work], size: int) -> list[Result]:
        return await self._committer.submit(works, size) if works else []

    async def _book(self, works: Sequence[Work], places: Sequence[int], size: int) -> list[Result]:
        """Settle works of which some say something of orders, which the checkout books before and after."""
        if self._orders is None:
            return await self._settle(works, size)
        booked = {at: await self._orders.redeem(works[at]) for at in places}
        decided = [booked[at].work if at in booked else work for at, work in enumerate(works)]
        settled = await self._settle(decided, size)
        for at, one in booked.items():
            await self._orders.roll_back(works[at])
            settled[at] = replace(
                settled[at],
                discounts=[*one.discounts, *settled[at].discounts],
                reason=settled[at].reason or one.reason,
            )
        return settled


class Transactions:
    """Commits a batch in one transaction, and executes the steps after the commit.

    Discounts are pushed to `destinations`; `wake` wakes the dispatcher. With `reasons` the log has
    the sentence of each rule. Customers and events are forwarded to `forwards`.
    `evaluating` says whether operations wait for their decisions. `journal` records what arrived.
    """

    def __init__(
        self,
        store: Store,
        files: LoadedFiles,
        environment: Environment,
        *,
        timers: TimerCapacity,
        health: CommitHealth,
        metrics: Metrics,
        destinations: Recipients | None = None,
        forwards: Mapping[str, ForwardTo] = {},
        wake: Callable[[], None] = lambda: None,
        wake_forwarder: Callable[[], None] = lambda: None,
        reasons: bool = False,
        evaluating: Evaluating | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._store = store
        self._files = files
        self._environment = environment
        self._timers = timers
        self._health = health
        self._metrics = metrics
        self._decisions = decision_log.DecisionCounts(metrics)
        self._destinations = destinations or Recipients()
        self._forwards = forwards
        self._wake = wake
        self._wake_forwarder = wake_forwarder
        self._reasons = reasons
        self._evaluating = evaluating or Evaluating()
        self._journal = journal or Journal(on=False)

    def follow(self, settings: Settings) -> None:
        """Log reasons, or not, as these settings say."""
        self._reasons = settings.log.reasons

    async def settle(
        self,
        batch: Sequence[Work],
        on_locks_acquired: OnLocksAcquired | None = None,
        complete: Complete | None = None,
    ) -> list[Result]:
        """Commit a batch; one result for each of its messages, in order. Raises Unavailable.

        `complete` may replace the changes before they are saved.
        """
        rules = self._files.rules
        with self._health.committing(), self._journal.recording() as record:
            context = self._context(record)
            result = await self._store.transact(
                lambda transaction: decide(transaction, batch, rules, context, complete), on_locks_acquired
            )
        self._after_commit(result)
        return result.results

    def parts(self, works: Sequence[Work]) -> list[Sequence[Work]]:
        """Split works, in order, into those of one transaction each."""
        return parts_of(works, self._files.rules.counting)

    def _context(self, record: Record | None) -> DecisionContext:
        environment, names = self._environment, self._files.mappings.names
        return DecisionContext(
            environment.clock(), environment.draw, environment.new_id, self._destinations, self._timers.room,
            names, self._forwards, self._evaluating.now, self._store.secret, record,
        )  # fmt: skip

    def _after_commit(self, result: CommitResult) -> None:
        if result.forwards:
            self._wake_forwarder()
        if any(each.discounts for each in result.results):
            self._wake()
        for destination in result.held_back:
            self._metrics.note_development(destination)
        self._timers.note(result)
        self._decisions.note(result.decisions)
        decision_log.log_decisions(result.decisions, reasons=self._reasons)


async def decide(
    transaction: Transaction,
    batch: Sequence[Work],
    rules: RuleSet,
    context: DecisionContext,
    complete: Complete | None = None,
) -> CommitResult:
    """Decide and save a batch in one transaction; one result for each of its messages, in order.

    Two passes over the batch in message order. The first processes customers and events: it resolves
    identities, merges traits, evaluates rules and folds history, and so finds the counters that could be
    needed. Those are locked at once, in key order. The second pass processes discounts: it issues and moves
    them; each step sees the effects of those before it.

    Timers come last, because messages of the batch may cancel them. Erasures are in batches of their own
    (`work_item.split_at_erasures`).

    `complete` may replace the changes before they are saved.
    """
    loaded = await transaction.load(load.load_request(batch, rules), context.now)
    fresh = load.fresh(batch, loaded)
    first = ApplyPass(transaction, rules, context, loaded)
    await first.prepare([batch[index] for index in fresh])
    for index in sorted(fresh, key=lambda index: batch[index].timer is not None):
        if (decided_at := batch[index].decided_at) is not None:
            first.context = replace(context, now=decided_at)
        await first.take(index, batch[index])
    merges = await slot_merges(transaction, first.people.joined(), context.now)
    second = IssuePass(context, first.people, loaded, merges, rules.lives)
    second.times = [work.decided_at for work in batch if work.decided_at is not None]
    steps = [*second.due(), *first.steps]
    if first.erasures:
        gone = BookingRequest(holders=[each.source_id for each in first.erasures])
        second.give_back((await transaction.booked(gone)).redemptions.values())
    if steps:
        await _read_bookings(transaction, second, second.bookings(steps))
        second.reserve(await transaction.reserve(*second.needs(steps)))
        for step in steps:
            second.take(step)
    results = save.results(batch, fresh, loaded, first, second)
    changes = save.changes(batch, fresh, first, second, results)
    if context.evaluating:
        evaluations.note(batch, fresh, changes, results, first.people)
    if complete is not None:
        changes = complete(changes, results)
    await transaction.save(changes)
    timer_changes = first.timer_changes
    return CommitResult(
        results, second.decisions, len(changes.armed), timer_changes.refused, timer_changes.fired,
        second.held_back, len(changes.forwards),
    )  # fmt: skip


async def _read_bookings(transaction: Transaction, second: IssuePass, wanted: BookingRequest | None) -> None:
    """Read what moves need to know of orders, and the codes of pools that may be handed out."""
    if wanted is None:
        return
    found = await transaction.booked(wanted)
    second.pool.fill(found.codes)
    second.orders.fill(found)
    if second.orders.unread:
        second.orders.fill(await transaction.booked(BookingRequest(redemptions=second.orders.unread)))


def _packed(quarantined: Sequence[Quarantined]) -> list[Quarantined]:
    return [packed(kept) for kept in quarantined]


def _parts(decoded: Decoded, size: int) -> Iterator[Decoded]:
    """Split a decoded body into parts of SLICE messages."""
    messages = decoded.messages
    for start in range(0, len(messages), SLICE):
        part = messages[start : start + SLICE]
        last = start + SLICE >= len(messages)
        quarantined, dropped = (decoded.quarantined, decoded.dropped) if last else ([], 0)
        share = size * len(part) // len(messages)
        yield Decoded(part, quarantined, dropped, size=share, source=decoded.source)
