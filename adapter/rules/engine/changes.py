"""Rules that a change of a customer triggers: which changes a message made, and which rules these concern."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct

from adapter.model.customers import Customer
from adapter.model.events import Event, User
from adapter.model.rules import Rule
from adapter.model.triggers import TRAIT_CHANGED, Scalar, SegmentChange, TraitChange
from adapter.rules.engine.evaluate import CompiledRule, TriggerIndex, traits_of, view_of
from adapter.rules.expressions import Node, reads
from adapter.rules.guardrails.membership import Segments
from adapter.rules.history.history import History

_ABSENT = object()


class CustomerChange(Struct, frozen=True):
    """A customer before and after the facts of one message.

    `known` says that facts of the customer were known before: what is said first of a trait is no change.
    `message_id`, `at` and `context` are those of the message.
    """

    before: Customer
    after: Customer
    known: bool
    message_id: str
    at: datetime
    context: dict[str, Any]


class Changed(Struct, frozen=True):
    """One change as the event that its rules see."""

    event: Event
    index: TriggerIndex


class ChangeTriggers:
    """The rules that changes of customers trigger; false where there are none."""

    def __init__(self, rules: Sequence[tuple[CompiledRule, Node]], segments: Segments) -> None:
        self._segments = segments
        self._ready: dict[str, tuple[CompiledRule, Node]] = {}
        self._traits: dict[str, list[tuple[TraitChange, str]]] = {}
        self._entered: dict[SegmentChange, list[str]] = {}
        for ready, node in rules:
            rule: Rule = ready.rule
            self._ready[rule.name] = (ready, node)
            if isinstance(rule.trigger, TraitChange):
                self._traits.setdefault(rule.trigger.trait, []).append((rule.trigger, rule.name))
            elif isinstance(rule.trigger, SegmentChange):
                self._entered.setdefault(rule.trigger, []).append(rule.name)
        self._indexes: dict[tuple[str, ...], TriggerIndex] = {}

    def __bool__(self) -> bool:
        """Tell whether a change of a customer triggers any rule."""
        return bool(self._ready)

    def of(self, change: CustomerChange, history: History, now: datetime) -> list[Changed]:
        """Return what a message changed that triggers rules: traits, then segments."""
        found: list[Changed] = []
        if change.known and self._traits:
            before, after = traits_of(change.before), traits_of(change.after)
            for path, triggers in self._traits.items():
                old, new = _at(before, path), _at(after, path)
                names = tuple(name for trigger, name in triggers if _fires(trigger, old, new))
                if names:
                    values = {"trait": path, "to": new, **({} if old is _ABSENT else {"from": old})}
                    found.append(self._changed(change, TRAIT_CHANGED, path, values, names))
        for segment, rules in self._entered.items():
            if self._moved(segment, change, history, now):
                values = {"segment": segment.segment}
                found.append(self._changed(change, segment.event, segment.segment, values, tuple(rules)))
        return found

    def _moved(self, trigger: SegmentChange, change: CustomerChange, history: History, now: datetime) -> bool:
        """Tell whether the customer entered or left the segment; where that cannot be told they did not."""
        name = trigger.segment
        if name in self._segments.declared:
            if not change.known:
                return False
            was, is_in = (
                self._member(name, each, change, history, now) for each in (change.before, change.after)
            )
        else:
            was, is_in = name in change.before.segments, name in change.after.segments
        return (was is not True and is_in is True) if trigger.entered else (was is True and is_in is False)

    def _member(
        self, name: str, customer: Customer, change: CustomerChange, history: History, now: datetime
    ) -> bool | None:
        nothing = Event("", "", change.at, User(), {}, {})
        return self._segments.of(customer, view_of(nothing, customer, history, now), nothing).get(name)

    def _changed(
        self, change: CustomerChange, name: str, what: str, values: dict[str, Any], rules: tuple[str, ...]
    ) -> Changed:
        user = User(id=change.after.source_id, email=change.after.email)
        event_id = f"{change.message_id}:{name}:{what}"
        event = Event(event_id, name, change.at, user, values, change.context)
        index = self._indexes.get(rules)
        if index is None:  # which rules a change concerns depends on the values: few sets of them occur
            ready = [self._ready[rule] for rule in rules]
            index = self._indexes[rules] = TriggerIndex(
                [each for each, _ in ready], [node for _, node in ready]
            )
        return Changed(event, index)


def names_in(triggers: Iterable[object]) -> list[str]:
    """Return the segments that triggers name."""
    return [trigger.segment for trigger in triggers if isinstance(trigger, SegmentChange)]


def of_traits(node: Node) -> bool:
    """Tell whether a condition reads the customer's traits alone; a bare name is one of them."""
    found = reads(node)
    return not found.metrics and all(path.root in ("", "traits") for path in found.paths)


def _at(traits: dict[str, Any], path: str) -> Any:
    """Return a trait by its path; a missing one and null are absent."""
    if path in traits:
        found = traits[path]
    else:
        found = traits
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
    return _ABSENT if found is None else found


def _fires(trigger: TraitChange, old: Any, new: Any) -> bool:
    if new is _ABSENT or _same(old, new):
        return False
    is_new = trigger.to is UNSET or _same(new, trigger.to)
    return is_new and (trigger.before is UNSET or _same(old, trigger.before))


def _same(one: Any, other: Scalar | Any) -> bool:
    """Tell whether two values are equal; true is not 1."""
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
