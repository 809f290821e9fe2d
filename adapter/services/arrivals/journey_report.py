"""What a journey says, and how it is made of what was read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from adapter.mapping.explain.explain import Explanation, explain
from adapter.model.customers import Customer
from adapter.model.decisions import Decision, RuleOutcome
from adapter.model.deliveries import Delivery
from adapter.model.discounts import DiscountRecord
from adapter.model.encoding import encode
from adapter.rules.engine.conditions import ConditionVerdict, NearMiss
from adapter.services.arrivals.filters import Arrived
from adapter.services.arrivals.listed import ListedMessage, PersonName
from adapter.services.arrivals.recomputed import Recomputed
from adapter.services.dry_runs.report import EventVerdict, RuleVerdict
from adapter.services.loaded_files import LoadedFiles
from adapter.sources.registry import SOURCES

#: A longer document is shown as its beginning.
LONGEST_DOCUMENT: Final = 200_000


class MappedField(Struct, frozen=True):
    """A field of a mapping: its value as JSON, and the paths that it came from and that were missing."""

    name: str
    value: Any
    paths: tuple[str, ...]
    missing: tuple[str, ...]


class MappedBy(Struct, frozen=True):
    """A mapping and its place: whether it takes the message, and what it makes of it or why it does not."""

    name: str
    place: str
    matched: bool
    why_not: str
    fields: list[MappedField]
    operations: list[Any]
    error: str


class RuleSaid(Struct, frozen=True):
    """A rule about an event. `at_the_time` is the decision that is stored, None where there is none.

    `in_force` is what the files in force say over the journal; it `differs` where that is something else.
    """

    rule: str
    at_the_time: str | None
    reason: str
    guardrail: str
    code: str
    in_force: str | None
    in_force_reason: str
    differs: bool
    conditions: list[ConditionVerdict]
    missing: list[NearMiss]


class SeenValue(Struct, frozen=True):
    """A value that rules read, by its path."""

    path: str
    value: Any


class DecidedEvent(Struct, frozen=True):
    """The decisions about one event of the message; `seen` are the values that rules read at the time."""

    event_id: str
    event: str
    source_id: str
    decided_at: datetime | None
    by_files_in_force: bool
    reason: str
    rules: list[RuleSaid]
    seen: list[SeenValue]
    untold: int


class KnownCustomer(Struct, frozen=True):
    """The customer as rules saw them.

    `how` says from where it is: `recomputed` out of the journal by the files in force, from `messages` since
    `since`, as `facts`; or `stored`: the values that stored decisions have `seen`.
    """

    how: Literal["recomputed", "stored"]
    facts: dict[str, Any]
    messages: int = 0
    since: datetime | None = None
    cut: bool = False
    seen: list[SeenValue] = []


class IssuedDiscount(Struct, frozen=True):
    """A discount that the message led to, as it is today."""

    code: str
    rule: str
    status: str
    issued_at: datetime
    expires_at: datetime | None


class SentDelivery(Struct, frozen=True):
    """A push of one of the discounts."""

    id: str
    destination: str
    type: str
    code: str
    status: str
    attempts: int
    created_at: datetime
    last_error: str


class Journey(Struct, frozen=True, kw_only=True):
    """Everything that is known of one message. `document` is what mappings saw, `text` where it is no JSON.

    `mappings` and what is recomputed are by the files in force.
    """

    message: ListedMessage
    names: list[PersonName]
    key: str
    document: Any
    text: str
    mappings: list[MappedBy]
    customer: KnownCustomer | None
    events: list[DecidedEvent]
    discounts: list[IssuedDiscount]
    deliveries: list[SentDelivery]
    notes: list[str]


def document_of(arrived: Arrived) -> tuple[Any, str]:
    """Return a document as JSON, or else as text."""
    raw = arrived.entry.document
    if len(raw) <= LONGEST_DOCUMENT:
        try:
            value = msgspec.json.decode(raw)
        except (msgspec.DecodeError, RecursionError):
            value = None
        if isinstance(value, dict):
            return value, ""
        if isinstance(value, str):
            return None, value
    return None, raw[:LONGEST_DOCUMENT].decode("utf-8", "replace")


def mappings_of(files: LoadedFiles, arrived: Arrived) -> list[MappedBy]:
    """Return what each mapping of the source says of a message, those first that take it."""
    message = arrived.entry.message() if arrived.entry.source in SOURCES else None
    if message is None:
        return []
    explained: Explanation = explain(files.mappings, message)
    by = [
        MappedBy(
            each.name, each.place, each.matched, each.why_not,
            [MappedField(one.name, one.value, one.paths, one.missing) for one in each.fields],
            list(each.operations), each.error,
        )
        for each in explained.mappings
    ]  # fmt: skip
    return sorted(by, key=lambda each: not each.matched)


def customer_of(again: Recomputed | None, decisions: Sequence[Decision]) -> KnownCustomer | None:
    """Return the customer as decided again, or else what the stored decisions have."""
    if again is not None and again.customer is not None:
        facts = _facts(again.customer)
        return KnownCustomer("recomputed", facts, again.messages, again.since, again.cut)
    seen = {name: value for each in decisions for name, value in each.seen.items()}
    return KnownCustomer("stored", {}, seen=_seen(seen)) if seen else None


def _seen(values: Mapping[str, Any]) -> list[SeenValue]:
    return [SeenValue(path, value) for path, value in sorted(values.items())]


def _facts(customer: Customer) -> dict[str, Any]:
    """Return what is known of a customer, without when each was told."""
    facts: dict[str, Any] = msgspec.json.decode(encode(customer))
    return {name: value for name, value in facts.items() if name != "told_at"}


def events_of(
    files: LoadedFiles, again: Recomputed | None, decisions: Sequence[Decision]
) -> list[DecidedEvent]:
    """Return the events with both verdicts: that of the time, and that of the files in force."""
    computed = {(each.event_id, each.event): each for each in (again.result.decisions if again else ())}
    stored = {(each.event_id, each.event): each for each in decisions}
    return [_event(files, stored.get(key), computed.get(key)) for key in dict.fromkeys([*stored, *computed])]


def _event(files: LoadedFiles, stored: Decision | None, computed: EventVerdict | None) -> DecidedEvent:
    told = files.rules.complete(stored) if stored is not None else None
    missed = files.rules.near_misses(told) if told is not None else {}
    said = {each.rule: each for each in (told.outcomes if told is not None else ())}
    again = {each.rule: each for each in (computed.rules if computed is not None else ())}
    rules = [
        _said(name, said.get(name), again.get(name), missed.get(name, []))
        for name in dict.fromkeys([*said, *again])
    ]
    rules.sort(key=lambda each: each.at_the_time in (None, "not_met"))
    whose = stored or computed
    assert whose is not None  # noqa: S101 - a key is of one of them
    return DecidedEvent(
        whose.event_id,
        whose.event,
        whose.source_id,
        stored.decided_at if stored else None,
        stored is not None and stored.book == files.rules.digest,
        whose.reason,
        rules,
        _seen(stored.seen if stored else {}),
        told.untold if told is not None else 0,
    )


def _said(
    name: str, stored: RuleOutcome | None, again: RuleVerdict | None, missed: Sequence[NearMiss]
) -> RuleSaid:
    return RuleSaid(
        name,
        stored.outcome if stored else None,
        stored.reason if stored else "",
        (stored.guardrail or "") if stored else "",
        (stored.code or "") if stored else "",
        again.outcome if again else None,
        again.reason if again else "",
        stored is not None and again is not None and stored.outcome != again.outcome,
        again.conditions if again else [],
        list(missed) or (again.missing if again else []),
    )


def issued(held: DiscountRecord) -> IssuedDiscount:
    """Return a discount as it is shown."""
    discount = held.discount
    return IssuedDiscount(discount.code, held.rule, discount.status, held.issued_at, discount.expires_at)


def sent(deliveries: Sequence[Delivery], codes: Collection[str]) -> list[SentDelivery]:
    """Return the deliveries that are about one of some codes."""
    found = []
    for each in deliveries:
        try:
            code = each.discount_event().data.code
        except msgspec.ValidationError:
            continue
        if code in codes:
            found.append(
                SentDelivery(
                    each.id, each.destination, each.type, code, each.status, each.tries, each.created_at,
                    each.last_error or "",
                )
            )  # fmt: skip
    return found


def notes_of(arrived: Arrived, again: Recomputed | None, decisions: Sequence[Decision]) -> list[str]:
    """Return what readers must know of what is missing."""
    notes = []
    if arrived.entry.source not in SOURCES:
        notes.append("it came from another instance, which had mapped it: these are its operations")
    if again is None and arrived.entry.outcome in ("processed", "too_old", "development"):
        notes.append("it could not be decided again: the files in force do not map it, or its past is gone")
    if again is not None and again.cut:
        notes.append("the customer has earlier messages, which were left out of what was decided again")
    if not decisions and arrived.entry.outcome == "processed":
        notes.append(
            "no decision about it is stored: no rule waits for it, or it is older than decisions are kept"
        )
    return notes
