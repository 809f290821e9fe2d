"""The results of a decided batch, and the changes to save."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapter.model.decisions import Decision
from adapter.model.encoding import encode
from adapter.model.operations import EventOccurred
from adapter.services.ingest.apply import ApplyPass
from adapter.services.ingest.evaluations import told, told_before
from adapter.services.ingest.forwards import to_forward
from adapter.services.ingest.issue import IssuePass
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Unrewarded, Work
from adapter.store.values import Changes, LoadedState, MessageKey

_REPEATED = Unrewarded(
    "duplicate", "not rewarded: a message with the same id came before, and it alone counts"
)
#: Repeated events of one batch that are stored with their reason.
_MOST_REPEATS = 100


def results(
    batch: Sequence[Work], fresh: list[int], loaded: LoadedState, first: ApplyPass, second: IssuePass
) -> list[Result]:
    """Return the results in order; a duplicate gets the discounts of the first message."""
    found: list[Result] = []
    known: dict[MessageKey, Result] = {}
    fresh_set = set(fresh)
    for index, work in enumerate(batch):
        if index in fresh_set:
            result = _result(work, first, second, index)
            known[(work.source, work.key)] = result
        else:
            answer = loaded.answers.get((work.source, work.key), b"")
            before = known.get((work.source, work.key))
            again = before.discounts if before else told_before(work, answer) if answer else []
            result = Result(work.message_id, "duplicate", discounts=again)
        found.append(result)
    return found


def _result(work: Work, first: ApplyPass, second: IssuePass, index: int) -> Result:
    if (refused := first.refused.get(index)) is not None:
        return Result(work.message_id, "quarantined", refused)
    if work.quarantine is not None:
        return Result(work.message_id, "quarantined", work.quarantine.reason)
    outcome = second.outcomes.get(index)
    remark = first.remarks.get(index)
    if (event := first.repeats.get(index)) is not None:
        owner = first.people.resolve(event.source_id)
        live = second.issued_for(owner, event.event, first.rules)
        return Result(work.message_id, "duplicate", remark, told(work, live))
    if outcome is None:
        return Result(work.message_id, "processed", remark)
    refusal = outcome.refusal
    return Result(
        work.message_id,
        "processed",
        refusal.message if refusal else remark,
        told(work, outcome.held),
        error=refusal.code if refusal else None,
    )


def _repeated(
    batch: Sequence[Work], fresh: list[int], first: ApplyPass, results: list[Result]
) -> Iterator[Decision]:
    """Yield decisions that repeated events are not rewarded, for customers that got nothing the first time.

    At most `_MOST_REPEATS` per batch, so that a sender with many repetitions costs no more than others.
    """
    if len(fresh) == len(batch) and not first.repeats:
        return
    left = []
    for index in sorted({*range(len(batch))}.difference(fresh).union(first.repeats)):
        remark = first.remarks.get(index)
        why = Unrewarded("duplicate", f"not rewarded: {remark}") if remark else _REPEATED
        owners = {discount.metadata.get("user_id") for discount in results[index].discounts}
        for each in batch[index].operations:
            if isinstance(each, EventOccurred) and first.concerns_rules(each.event.name):
                key = first.people.resolve(each.source_id)
                person = first.people.known(key)
                if owners.isdisjoint((each.source_id, key, person.customer.known_as if person else "")):
                    at = batch[index].decided_at
                    left.append(first.unevaluated_decision(each.event, key, why, at))
    yield from left[:_MOST_REPEATS]


def changes(
    batch: Sequence[Work],
    fresh: list[int],
    first: ApplyPass,
    second: IssuePass,
    results: list[Result],
) -> Changes:
    """Return the changes of a batch."""
    people, record = first.people, first.context.record
    rewarded = [
        ((batch[index].source, batch[index].key), results[index].discounts)
        for index in fresh
        if results[index].outcome == "processed" and results[index].discounts and batch[index].key
    ]
    forwards = to_forward(batch, first) if first.context.forwards else ()
    return Changes(
        seen_at=first.context.now,
        answers={key: encode(discounts) for key, discounts in rewarded},
        rewarded={key: second.written[discounts[0].code].source_id for key, discounts in rewarded},
        customers=list(people.changed()),
        identities=people.new_identities,
        moved=people.moved,
        erased=first.erasures,
        events=first.events,
        discounts=list(second.written.values()),
        counters=second.differences,
        decisions=[*second.decisions, *first.unevaluated, *_repeated(batch, fresh, first, results)],
        deliveries=second.deliveries,
        quarantine=first.quarantined,
        cancelled=first.timer_changes.cancelled,
        armed=[*first.timer_changes.armed, *second.armed[: first.context.room]],
        bounds=second.bounds,
        rewritten=second.rewritten,
        redemptions=list(second.orders.written.values()),
        pending=second.pending,
        ended=second.ended,
        drawn=second.pool.drawn,
        dated=first.rules.schedules.traits,
        forwards=forwards,
        journal=record(batch, results, second.decisions) if record is not None else (),
    )
