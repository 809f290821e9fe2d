"""What a dry run says: of each message its facts, of each event the verdict of each rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from adapter.mapping.explain.explain import Explanation
from adapter.model.decisions import Decision, Outcome, RuleOutcome
from adapter.model.discounts import Discount
from adapter.model.evaluated import Refusal
from adapter.model.operations import EventOccurred
from adapter.rules.engine.conditions import ConditionVerdict, NearMiss
from adapter.services.dry_runs.rehearsal import Rehearsed
from adapter.services.ingest.operation_documents import members_of
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work


class RuleVerdict(Struct, frozen=True, omit_defaults=True):
    """What one rule says of an event. `discount` is what it would issue; its code is not a real one.

    `missing` is what each comparison with a number lacks; of more rules than are judged one by one only the
    outcome is said, without `conditions`.
    """

    rule: str
    outcome: Outcome
    reason: str
    guardrail: str | None = None
    discount: Discount | None = None
    conditions: list[ConditionVerdict] = []
    missing: list[NearMiss] = []


class EventVerdict(Struct, frozen=True, omit_defaults=True):
    """The decision about one event; `seen` are the values that its rules read.

    `reason` says why no rule was evaluated. `untold` counts further rules whose conditions do not hold.
    """

    event_id: str
    event: str
    source_id: str
    rules: list[RuleVerdict] = []
    seen: dict[str, Any] = {}
    untold: int = 0
    reason: str = ""


class Wait(Struct, frozen=True):
    """An absence that is waited for from an event on: the rule is decided at `due_at`."""

    rule: str
    source_id: str
    due_at: datetime


class DryRunResult(Struct, omit_defaults=True):
    """What became of one message: its operations as `/v1/evaluate` takes them, and what they led to.

    `discounts` are those issued or moved by it. `mapping` says where each field came from, if it was asked.
    """

    message_id: str
    outcome: Literal["processed", "duplicate", "ignored", "quarantined", "refused"]
    reason: str | None = None
    error: str | Refusal | None = None
    operations: list[dict[str, Any]] = []
    decisions: list[EventVerdict] = []
    discounts: list[Discount] = []
    misfits: list[str] = []
    mapping: Explanation | None = None


class DryRun(Struct):
    """The outcome of a dry run, decided at `now` by the rule files with the digest `book`.

    `dropped` counts our own events coming back; `notes` say what a real run does besides.
    """

    now: datetime
    book: str
    results: list[DryRunResult]
    waits: list[Wait]
    dropped: int
    notes: list[str]


class Masked(Struct, frozen=True):
    """Masks codes that a pool would hand out: they are real ones, which nobody holds yet."""

    codes: frozenset[str]

    def discount(self, discount: Discount) -> Discount:
        """Return a discount without a code of a pool."""
        return replace(discount, code=_mask(discount.code)) if discount.code in self.codes else discount


def _mask(code: str) -> str:
    return "X" * len(code)


def result_of(work: Work, result: Result, rehearsed: Rehearsed, masked: Masked) -> DryRunResult:
    """Return what became of a work."""
    made = rehearsed.changes.decisions
    own = [
        decision
        for each in work.operations
        if isinstance(each, EventOccurred)
        for decision in _decisions(each, made)
    ]
    decisions = [event_verdict(each, rehearsed, masked) for each in (*own, *_of_changes(work, made, own))]
    return DryRunResult(
        result.message_id,
        result.outcome,
        result.reason,
        result.error,
        operations_of(work),
        decisions,
        list(map(masked.discount, result.discounts)),
        result.misfits or misfits_of(work),
    )


def operations_of(work: Work) -> list[dict[str, Any]]:
    """Return the operations of a work as documents."""
    return [members_of((operation,)) for operation in work.operations]


def misfits_of(work: Work) -> list[str]:
    """Return the violations of the data model whose values are stored unchanged."""
    said = [getattr(operation, "misfits", ()) for operation in work.operations]
    return list(dict.fromkeys(misfit for misfits in said for misfit in misfits))


def _of_changes(work: Work, decisions: Sequence[Decision], own: Sequence[Decision]) -> list[Decision]:
    """Return the decisions about what a message changed of a customer: their ids begin with the message's."""
    message = f"{work.message_id or work.key}:"
    return [each for each in decisions if each.event_id.startswith(message) and each not in own]


def _decisions(operation: EventOccurred, decisions: Sequence[Decision]) -> list[Decision]:
    """Return the decision about an event; of several customers' events of one id, that of its own."""
    event = operation.event
    found = [each for each in decisions if (each.event_id, each.event) == (event.id, event.name)]
    own = [each for each in found if each.source_id == operation.source_id]
    return (own or found)[:1]


def event_verdict(decision: Decision, rehearsed: Rehearsed, masked: Masked) -> EventVerdict:
    """Return a decision with the conditions of its rules."""
    key = (decision.source_id, decision.event_id, decision.event)
    judged = rehearsed.judged.get(key) or _judged(decision, rehearsed)
    issued = {each.discount.code: each.discount for each in rehearsed.changes.discounts}
    told = [_verdict(each, judged, issued, masked) for each in decision.outcomes]
    names = {each.rule for each in decision.outcomes}
    more = [_not_met(name, found) for name, found in judged.items() if name not in names]
    return EventVerdict(
        decision.event_id, decision.event, decision.source_id, told + more, decision.seen,
        max(0, decision.untold - len(more)), decision.reason,
    )  # fmt: skip


def _judged(decision: Decision, rehearsed: Rehearsed) -> dict[str, list[ConditionVerdict]]:
    """Return what was judged of an event of a customer who was merged later in the same batch."""
    if decision.unevaluated is not None:
        return {}
    event = (decision.event_id, decision.event)
    return next((found for key, found in rehearsed.judged.items() if key[1:] == event), {})


def _verdict(
    outcome: RuleOutcome,
    judged: Mapping[str, list[ConditionVerdict]],
    issued: Mapping[str, Discount],
    masked: Masked,
) -> RuleVerdict:
    conditions = judged.get(outcome.rule, [])
    discount = issued.get(outcome.code or "")
    return RuleVerdict(
        outcome.rule, outcome.outcome, outcome.reason, outcome.guardrail,
        discount and masked.discount(discount), conditions, _missing(conditions),
    )  # fmt: skip


def _not_met(rule: str, conditions: list[ConditionVerdict]) -> RuleVerdict:
    reason = "; ".join(each.reason for each in conditions if not each.holds)
    return RuleVerdict(
        rule, "not_met", f"not issued: {reason}", conditions=conditions, missing=_missing(conditions)
    )


def _missing(conditions: Sequence[ConditionVerdict]) -> list[NearMiss]:
    return [miss for each in conditions for miss in each.missing]
