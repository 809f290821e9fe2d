"""What changed mapping files make of recorded messages, beside what the files of before make of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

from adapter.errors import MappingError
from adapter.mapping.actions.as_json import plain
from adapter.mapping.mapping_set import MappingSet
from adapter.model.journal import JournalEntry
from adapter.model.messages import Message
from adapter.model.sources import SOURCES

#: Messages that are shown of one difference.
SAMPLES = 3
#: Differences that are told apart; further ones only count as changed messages.
_MOST = 1_000
Outcome = Literal["mapped", "ignored", "quarantined"]
#: Outcomes of messages that are not mapped again: they came twice, or could not be read.
_UNMAPPABLE = frozenset({"duplicate", "refused"})
#: The value of a field that is not there.
ABSENT: Any = "(absent)"


class Sample(Struct, frozen=True):
    """One message in which a field differs, with its values."""

    message_id: str
    before: Any
    after: Any


class FieldDifference(Struct):
    """A field, as in `event event.attributes.cart_value`: in how many messages it differs, and samples."""

    field: str
    messages: int
    samples: list[Sample]


class OutcomeDifference(Struct):
    """How many messages become something else, with their ids and the reason of the quarantine, if any."""

    before: Outcome
    after: Outcome
    messages: int
    samples: list[str]
    reason: str = ""


class Remapped(Struct):
    """How many messages were mapped again, how many of them differ, and in what; the most frequent first."""

    messages: int
    changed: int
    outcomes: list[OutcomeDifference]
    fields: list[FieldDifference]


class _Result(Struct, frozen=True):
    outcome: Outcome
    fields: dict[str, Any] = {}
    reason: str = ""


class MappingComparison:
    """Maps recorded messages by the files of `before` and of `after`, each message once."""

    def __init__(self, before: MappingSet, after: MappingSet) -> None:
        self._before = before
        self._after = after
        self._seen: set[int] = set()
        self._messages = self._changed = 0
        self._outcomes: dict[tuple[Outcome, Outcome, str], OutcomeDifference] = {}
        self._fields: dict[str, FieldDifference] = {}

    def note(self, entry: JournalEntry) -> None:
        """Map one message of the journal, unless it repeats another, or no mapping can take it."""
        which = hash((entry.source, entry.key))
        if entry.outcome in _UNMAPPABLE or entry.source not in SOURCES or which in self._seen:
            return
        self._seen.add(which)
        message = entry.message()
        if message is not None:
            self._compare(message)

    def remapped(self) -> Remapped:
        """Return what differs so far."""
        outcomes = sorted(self._outcomes.values(), key=lambda each: -each.messages)
        fields = sorted(self._fields.values(), key=lambda each: -each.messages)
        return Remapped(self._messages, self._changed, outcomes, fields)

    def _compare(self, message: Message) -> None:
        before, after = _result(self._before, message), _result(self._after, message)
        self._messages += 1
        if before == after:
            return
        self._changed += 1
        message_id = str(message.document.get("messageId") or message.key)
        if before.outcome != after.outcome or before.reason != after.reason:
            self._note_outcome(message_id, before, after)
        if before.outcome == after.outcome:
            self._note_fields(message_id, before.fields, after.fields)

    def _note_outcome(self, message_id: str, before: _Result, after: _Result) -> None:
        reason = after.reason or before.reason
        key = before.outcome, after.outcome, reason
        if key not in self._outcomes:
            if len(self._outcomes) >= _MOST:
                return
            self._outcomes[key] = OutcomeDifference(before.outcome, after.outcome, 0, [], reason)
        one = self._outcomes[key]
        one.messages += 1
        if len(one.samples) < SAMPLES:
            one.samples.append(message_id)

    def _note_fields(self, message_id: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        for field in [*before, *(each for each in after if each not in before)]:
            values = before.get(field, ABSENT), after.get(field, ABSENT)
            if values[0] == values[1] or (field not in self._fields and len(self._fields) >= _MOST):
                continue
            one = self._fields.setdefault(field, FieldDifference(field, 0, []))
            one.messages += 1
            if len(one.samples) < SAMPLES:
                one.samples.append(Sample(message_id, *values))


def _result(book: MappingSet, message: Message) -> _Result:
    try:
        operations = book.operations(message)
    except MappingError as error:
        return _Result("quarantined", reason=error.message)
    if not operations:
        return _Result("ignored")
    fields: dict[str, Any] = {}
    named: Counter[str] = Counter()
    for operation in operations:
        shown = plain(operation)
        action = shown.pop("action")
        named[action] += 1
        action = action if named[action] == 1 else f"{action} {named[action]}"
        fields |= {f"{action} {path}": value for path, value in _flat(shown, "")}
        fields.setdefault(action, {})
    return _Result("mapped", fields)


def _flat(value: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, below in value.items():
        if isinstance(below, dict) and below:
            yield from _flat(below, f"{path}{key}.")
        else:
            yield f"{path}{key}", below
