"""The decision transaction: load, decide, reserve, save, for all that waits.

Two walks over the batch in message order. The first is about people and events: it resolves identities,
merges traits, evaluates rules and folds history, and so learns which counters could be needed. Those are
locked at once, in key order. The second walk is about discounts: it issues and moves them, each seeing
what the ones before it did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from adapter.model.customers import LINKING
from adapter.model.decisions import Decision
from adapter.model.discounts import Discount
from adapter.model.encoding import encode
from adapter.model.operations import CustomerErase, CustomerMerge, DiscountMove, EventOccurred
from adapter.rules.engine.ruleset import RuleSet
from adapter.services.ingest.apply import ApplyPass
from adapter.services.ingest.issue import DecisionContext, IssuePass
from adapter.services.ingest.result import Result, Settled
from adapter.services.ingest.slot_merges import SlotMerges, slot_merges
from adapter.services.ingest.work_item import Unrewarded, Work
from adapter.store.contract import Transaction
from adapter.store.values import Changes, LoadedState, LoadRequest, MessageKey

_REPEATED = Unrewarded(
    "duplicate", "not rewarded: a message with the same id came before, and it alone counts"
)
#: So many repeated events of one batch are kept with their reason.
_MOST_REPEATS = 100
_DISCOUNTS = msgspec.json.Decoder(list[Discount])


async def decide(
    transaction: Transaction, batch: Sequence[Work], rules: RuleSet, means: DecisionContext
) -> Settled:
    """Settle a batch in one transaction; one result for each of its messages, in order.

    Timers go last: what the batch brings may end them. Works that erase come alone (`work.apart`).
    """
    loaded = await transaction.load(wanted(batch), means.now)
    fresh = _fresh(batch, loaded)
    first = ApplyPass(transaction, rules, means, loaded)
    await first.prepare([batch[index] for index in fresh])
    for index in sorted(fresh, key=lambda index: batch[index].timer is not None):
        await first.take(index, batch[index])
    joined = first.people.joined()
    slots = await slot_merges(transaction, joined, means.now) if joined else SlotMerges()
    second = IssuePass(means, first.people, loaded, slots.more)
    steps = [*second.due(), *first.steps]
    if steps:
        second.reserve(await transaction.reserve(*second.needs(steps)))
        for step in steps:
            second.take(step)
    results = _results(batch, fresh, loaded, first, second)
    changes = _changes(batch, fresh, first, second, results)
    await transaction.save(replace(changes, rewritten=slots.rewritten) if slots.rewritten else changes)
    waiting = first.waiting
    return Settled(results, second.decisions, len(changes.armed), waiting.refused, waiting.fired)


def wanted(batch: Sequence[Work]) -> LoadRequest:
    """Return what a batch needs to know before it can be decided."""
    customers: dict[str, None] = {}
    identities: dict[tuple[str, str], None] = {}
    codes: dict[str, None] = {}
    waits: dict[str, None] = {}
    for work in batch:
        if work.timer is not None:
            customers[work.timer.source_id] = None
            waits[work.timer.rule] = None
        for operation in work.operations:
            if operation.source_id is not None:
                customers[operation.source_id] = None
            if isinstance(operation, DiscountMove):
                codes[operation.code] = None
                if operation.source_id is not None:
                    identities |= {(kind, operation.source_id): None for kind in LINKING}
            elif isinstance(operation, CustomerMerge):
                customers[operation.previous_id] = None
                names = (operation.source_id, operation.previous_id)
                identities |= {(kind, name): None for kind in LINKING for name in names}
            elif isinstance(operation, CustomerErase):
                identities |= {(kind, operation.source_id): None for kind in LINKING}
            else:
                for kind in LINKING:
                    value = operation.identities.get(kind)
                    if value is not None:
                        identities[(kind, value)] = None
                        customers[value] = None
    keys = [(work.source, work.key) for work in batch if work.key]
    return LoadRequest(keys, list(customers), list(identities), list(codes), list(waits))


def _fresh(batch: Sequence[Work], loaded: LoadedState) -> list[int]:
    """Return the indexes of messages not seen before, in the store or earlier in the batch."""
    seen: set[MessageKey] = set(loaded.answers)
    fresh = []
    for index, work in enumerate(batch):
        key = (work.source, work.key)
        if not work.key or key not in seen:
            seen.add(key)
            fresh.append(index)
    return fresh


def _results(
    batch: Sequence[Work], fresh: list[int], loaded: LoadedState, first: ApplyPass, second: IssuePass
) -> list[Result]:
    """Return the results in order; a duplicate gets the discounts that its first delivery got."""
    results: list[Result] = []
    known: dict[MessageKey, Result] = {}
    fresh_set = set(fresh)
    for index, work in enumerate(batch):
        if index in fresh_set:
            result = _result(work, first, second, index)
            known[(work.source, work.key)] = result
        else:
            answer = loaded.answers.get((work.source, work.key), b"")
            before = known.get((work.source, work.key))
            again = before.discounts if before else _DISCOUNTS.decode(answer) if answer else []
            result = Result(work.message_id, "duplicate", discounts=again)
        results.append(result)
    return results


def _result(work: Work, first: ApplyPass, second: IssuePass, index: int) -> Result:
    if (refused := first.refused.get(index)) is not None:
        return Result(work.message_id, "quarantined", refused)
    if work.quarantine is not None:
        return Result(work.message_id, "quarantined", work.quarantine.reason)
    outcome = second.outcomes.get(index)
    remark = first.remarks.get(index)
    if (event := first.repeats.get(index)) is not None:
        owner = first.people.behind(event.source_id)
        return Result(
            work.message_id, "duplicate", remark, second.issued_for(owner, event.event, first.rules)
        )
    if outcome is None:
        return Result(work.message_id, "processed", remark)
    refusal = outcome.refusal
    return Result(
        work.message_id,
        "processed",
        refusal.message if refusal else remark,
        outcome.discounts,
        error=refusal.code if refusal else None,
    )


def _repeated(
    batch: Sequence[Work], fresh: list[int], first: ApplyPass, results: list[Result]
) -> Iterator[Decision]:
    """Yield why events of messages that came before earn nothing, as far as their customers got nothing then.

    So many of a batch at most: a sender that repeats a lot must not cost more than one that does not.
    """
    if len(fresh) == len(batch) and not first.repeats:
        return
    left = []
    for index in sorted({*range(len(batch))}.difference(fresh).union(first.repeats)):
        remark = first.remarks.get(index)
        why = Unrewarded("duplicate", f"not rewarded: {remark}") if remark else _REPEATED
        owners = {discount.metadata.get("user_id") for discount in results[index].discounts}
        for each in batch[index].operations:
            if isinstance(each, EventOccurred) and first.asks(each.event.name):
                key = first.people.behind(each.source_id)
                person = first.people.known(key)
                if owners.isdisjoint((each.source_id, key, person.customer.known_as if person else "")):
                    left.append(first.left(each.event, key, why))
    yield from left[:_MOST_REPEATS]


def _changes(
    batch: Sequence[Work],
    fresh: list[int],
    first: ApplyPass,
    second: IssuePass,
    results: list[Result],
) -> Changes:
    people = first.people
    told = [
        ((batch[index].source, batch[index].key), results[index].discounts)
        for index in fresh
        if results[index].outcome == "processed" and results[index].discounts and batch[index].key
    ]
    return Changes(
        seen_at=first.means.now,
        answers={key: encode(discounts) for key, discounts in told},
        rewarded={key: second.written[discounts[0].code].source_id for key, discounts in told},
        customers=list(people.changed()),
        identities=people.learnt,
        moved=people.moved,
        erased=first.erasures,
        events=first.events,
        discounts=list(second.written.values()),
        counters=second.differences,
        decisions=[*second.decisions, *first.unevaluated, *_repeated(batch, fresh, first, results)],
        deliveries=second.deliveries,
        quarantine=first.quarantined,
        cancelled=first.waiting.cancelled,
        armed=first.waiting.armed,
        bounds=second.bounds,
        pending=second.pending,
        ended=second.ended,
    )
