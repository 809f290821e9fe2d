"""What test cases may name: a book's rules, and the known events, attributes and traits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from adapter.datamodel.declarations import DataModel
from adapter.model.rules import Absence, Rule
from adapter.model.triggers import (
    DATE_DUE,
    SCHEDULE_DUE,
    TRAIT_CHANGED,
    DiscountLife,
    Every,
    OnDate,
    SegmentChange,
    TraitChange,
)
from adapter.rules.engine.evaluate import blocks_of
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.expressions import ExpressionError, Names, reads
from adapter.rules.files import model_names
from adapter.rules.guardrails.contract import CAMPAIGN, GLOBAL
from adapter.rules.guardrails.limits import key_limits


class KnownNames(Struct, frozen=True):
    """A book's rules, their shared codes and variants, and those that wait.

    `names` are the data model's, and what rules read beside them.

    `keyed` are the limits by a key, as they withhold.

    Without a data model only what is nearly a name that rules read is doubted: `strict` is false.
    """

    rules: frozenset[str]
    codes: tuple[str, ...]
    waiting: dict[str, Absence]
    scheduled: frozenset[str]
    living: frozenset[str]
    read: dict[str, set[str]]
    names: Names
    strict: bool
    keyed: frozenset[str] = frozenset()
    variants: dict[str, tuple[str, ...]] = {}

    def doubts(self, ask: Callable[[Names], None]) -> list[ExpressionError]:
        """Return what the names say of one that is not known, whether or not they would refuse it."""
        unsure: list[ExpressionError] = []
        try:
            ask(replace(self.names, doubts=unsure))
        except ExpressionError as error:
            return [error]
        return unsure if self.strict else []

    def meant(self, name: str) -> str:
        """Return the name of the events that a case means."""
        return self.names.spelled.meant(name)

    def event(self, name: str) -> list[ExpressionError]:
        """Return what is wrong with the name of an event."""
        return [] if name in self.read else self.doubts(lambda names: names.check_event(name, 0))

    def attribute(self, event: str, name: str) -> list[ExpressionError]:
        """Return what is wrong with the name of an event's attribute."""
        if name in self.read.get(event, ()):
            return []
        return self.doubts(lambda names: names.check_attribute(event, name, 0))

    def trait(self, name: str) -> list[ExpressionError]:
        """Return what is wrong with the name of a trait."""
        if any(name in read for read in self.read.values()):
            return []
        return self.doubts(lambda names: names.check("traits", name, 0))


def known(book: RuleSet, model: DataModel | None) -> KnownNames:
    """Return what the cases of a book may name, where there is one with the data model."""
    read = _read(book)
    everywhere = frozenset().union(*read.values())
    of_book = Names(
        attributes=everywhere, traits=everywhere, events=frozenset(read),
        by_event={event: dict.fromkeys(named, "any") for event, named in read.items()},
    )  # fmt: skip
    return KnownNames(
        rules=frozenset(rule.name for rule in book.rules),
        codes=tuple(rule.code for rule in book.promotions.rules if rule.code is not None),
        waiting={rule.name: rule.trigger for rule in book.rules if isinstance(rule.trigger, Absence)},
        scheduled=frozenset(book.schedules.by_name),
        living=frozenset(book.lives.by_name),
        read=read,
        names=replace(of_book if model is None else model_names.names(model), spelled=book.spelled),
        strict=model is not None,
        keyed=_keyed(book),
        variants={rule.name: tuple(each.name for each in rule.variants) for rule in book.rules},
    )


def _keyed(book: RuleSet) -> frozenset[str]:
    own = (each.name for rule in book.rules for each in key_limits(rule.guardrails))
    overall = (GLOBAL + each.name for each in key_limits(book.guardrails))
    shared = (CAMPAIGN + each.name for one in book.campaigns for each in key_limits(one.guardrails))
    return frozenset((*own, *overall, *shared))


def _read(book: RuleSet) -> dict[str, set[str]]:
    """Return by event the names that rules read when it happens, or of it later."""
    found: dict[str, set[str]] = defaultdict(set)
    segments = [each.node for each in book.segments.declared.values() if each.node is not None]
    for rule in book.rules:
        own = reads(book.nodes[rule.name], *book.values[rule.name], *segments)
        for event in _events(rule):
            found[event].update(path.fields[0] for path in own.paths if path.fields)
            if rule.to is not None:
                found[event].add(book.named.path(rule.name).fields[0])
            keys = [each for _, block in blocks_of(rule, book.guardrails) for each in key_limits(block)]
            found[event].update(each.path.fields[0] if each.path else each.key for each in keys)
    for event, needs in book.metrics.events.items():
        found[event].update(name.split(".")[0] for name in needs.attributes)
    for derived in book.metrics.derived.values():
        found[derived.event].update(derived.attributes)
    return dict(found)


def _events(rule: Rule) -> Iterator[str]:
    if isinstance(rule.trigger, Absence):
        yield rule.trigger.event
    elif isinstance(rule.trigger, TraitChange):
        yield TRAIT_CHANGED
    elif isinstance(rule.trigger, SegmentChange | DiscountLife):
        yield rule.trigger.event
    elif isinstance(rule.trigger, Every | OnDate):
        yield SCHEDULE_DUE if isinstance(rule.trigger, Every) else DATE_DUE
    else:
        yield from rule.triggers
