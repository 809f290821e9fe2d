"""Segments: from the CDPs' audiences, from lists, and from expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from adapter.model.customers import Customer
from adapter.model.events import Event
from adapter.rules import expressions
from adapter.rules.expressions import EvaluationContext, Node, Not
from adapter.rules.guardrails.addresses import addresses

Test = Callable[[EvaluationContext], bool]


class Segment(Struct, frozen=True):
    """A segment that `definitions.yaml` declares: an expression, or a list of source_ids and emails.

    `emails` are in their normal spelling.
    """

    node: Node | None = None
    source_ids: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()


class Segments:
    """All declared segments; one that is not declared is an audience that a CDP tells us of."""

    def __init__(self, declared: Mapping[str, Segment]) -> None:
        self.declared = declared
        self._lists = {name: one for name, one in declared.items() if one.source_ids or one.emails}
        nodes = {name: segment.node for name, segment in declared.items() if segment.node is not None}
        self._holds: dict[str, Test] = {name: expressions.compile(node) for name, node in nodes.items()}
        self._fails: dict[str, Test] = {name: expressions.compile(Not(node)) for name, node in nodes.items()}

    def of(self, customer: Customer, view: EvaluationContext, event: Event) -> Membership:
        """Return what can be asked of one customer at one event."""
        return Membership(self, customer, view, event)

    def listed(self, name: str, customer: Customer, event: Event) -> bool:
        """Tell whether an audience or a list has the customer, a list also by the address on the event."""
        if name in customer.segments:
            return True
        segment = self._lists.get(name)
        if segment is None:
            return False
        if customer.source_id in segment.source_ids or not segment.source_ids.isdisjoint(customer.merged):
            return True
        return bool(segment.emails) and not segment.emails.isdisjoint(addresses(customer, event))

    def holds(self, name: str, view: EvaluationContext) -> bool:
        """Tell whether the segment's expression is exactly true."""
        test = self._holds.get(name)
        return test is not None and test(view)

    def fails(self, name: str, view: EvaluationContext) -> bool:
        """Tell whether the segment's expression is exactly false; one without an expression always is."""
        test = self._fails.get(name)
        return test is None or test(view)


class Membership:
    """One customer's segments at one event; each is worked out once."""

    __slots__ = ("_known", "customer", "event", "segments", "view")

    def __init__(self, segments: Segments, customer: Customer, view: EvaluationContext, event: Event) -> None:
        self.segments = segments
        self.customer = customer
        self.view = view
        self.event = event
        self._known: dict[str, bool | None] = {}

    def get(self, name: str) -> bool | None:
        """Return whether the customer is in the segment, None where the data to tell is missing."""
        known = self._known
        if name not in known:
            known[name] = self._found(name)
        return known[name]

    def _found(self, name: str) -> bool | None:
        segments, view = self.segments, self.view
        if segments.listed(name, self.customer, self.event):
            return True
        if segments.fails(name, view):  # asked first: most customers are not in most segments
            return False
        return True if segments.holds(name, view) else None
