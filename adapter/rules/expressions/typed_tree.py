"""Conditions, checked and resolved: what evaluation, the index and the explanations work on.

Equal nodes mean the same. Truth is that of CEL's "the result is exactly true": see compiler.py.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, Literal

from msgspec import Struct

#: What a value can be; `any` is known only when the event is there.
Kind = Literal["boolean", "number", "text", "timestamp", "duration", "list", "object", "null", "any"]
Comparison = Literal["==", "!=", "<", "<=", ">", ">=", "in"]
Arithmetic = Literal["+", "-", "*", "/", "%"]
Root = Literal["", "attributes", "traits", "context", "event", "now", "element"]
MacroKind = Literal["exists", "all", "exists_one", "filter", "map", "transform_map"]
MetricKind = Literal[
    "count", "sum", "avg", "min", "max", "distinct", "first", "last", "days_since", "streak",
    "sequence", "discounts",
]  # fmt: skip
#: What a past event is called inside a metric.
PAST: Final = "past"


class Node(Struct, frozen=True, gc=False):
    """One condition, or one value within it."""


class Constant(Node, frozen=True):
    """A constant. `kind` keeps `1` and `true` apart; a list's value is a tuple of literals."""

    value: Any
    kind: Kind


class Path(Node, frozen=True, cache_hash=True):
    """A value of the event, the customer or the context.

    Root "" is a bare name: the event's attribute, else the trait, else the context, the first present. Root
    "element" is a macro's variable, where one element is explained.
    """

    root: Root
    fields: tuple[str, ...]


class Metric(Node, frozen=True, cache_hash=True):
    """A figure over the customer's past events; `window` back from now, None for ever.

    `where` chooses events, and `value` is what is added up of each. `by` is a value of a past event that must
    be that of `equals`, which the event being decided gives. A past event is `Path("element", (PAST, …))` in
    the three that look at it. `including` counts the event being decided too. A `sequence` has `steps`, of
    which the event is the first. Of `discounts` the event is the name of a rule, empty for any, and the
    attribute a status.
    """

    kind: MetricKind
    event: str
    attribute: str | None = None
    window: timedelta | None = None
    where: Node | None = None
    value: Node | None = None
    by: Node | None = None
    equals: Node | None = None
    including: bool = False
    steps: tuple[str, ...] = ()

    @property
    def events(self) -> tuple[str, ...]:
        """The names of the events that it looks at."""
        return self.steps or (self.event,)

    @property
    def derived(self) -> bool:
        """Whether it needs more of each past event than one of its attributes."""
        return not self.where is self.value is self.by is None


class Variable(Node, frozen=True):
    """A name that a macro around gives to what it looks at (`item` of `items.exists(item, …)`)."""

    name: str


class Field(Node, frozen=True):
    """`operand.name` where the operand is not a path."""

    operand: Node
    name: str


class Item(Node, frozen=True):
    """`operand[index]`."""

    operand: Node
    index: Node


class ListOf(Node, frozen=True):
    """A list with an element that is not constant."""

    items: tuple[Node, ...]


class MapOf(Node, frozen=True):
    """An object: `{"key": item, …}`."""

    keys: tuple[str, ...]
    items: tuple[Node, ...]


class Call(Node, frozen=True):
    """A function of functions.py; a method's receiver is its first argument."""

    function: str
    arguments: tuple[Node, ...]


class Compare(Node, frozen=True):
    """`left operator right`, a boolean."""

    operator: Comparison
    left: Node
    right: Node


class Compute(Node, frozen=True):
    """`left operator right`, exact."""

    operator: Arithmetic
    left: Node
    right: Node


class Negative(Node, frozen=True):
    """`-operand`."""

    operand: Node


class Conditional(Node, frozen=True):
    """`condition ? then : otherwise`."""

    condition: Node
    then: Node
    otherwise: Node


class Has(Node, frozen=True):
    """`has(operand.field)`: an error unless the operand is an object."""

    operand: Node
    field: str


class Macro(Node, frozen=True):
    """`elements.kind(variables, predicate)`; a map has a `transform`, and perhaps a predicate.

    One variable is the element of a list, or the key of an object. Two are the index or key, and the value.
    """

    kind: MacroKind
    elements: Node
    variables: tuple[str, ...]
    predicate: Node | None
    transform: Node | None = None


class Defined(Node, frozen=True):
    """A condition of definitions.yaml by its name."""

    name: str
    condition: Node


class All(Node, frozen=True):
    """Every part holds (`&&`, or an `all` group); an empty one holds."""

    parts: tuple[Node, ...]


class AnyOf(Node, frozen=True):
    """At least one part holds (`||`, or an `any` group); an empty one does not."""

    parts: tuple[Node, ...]


class Not(Node, frozen=True):
    """The part is exactly false (`!`; a `none` group is `Not(AnyOf(parts))`)."""

    part: Node


def plain(constant: Constant) -> Any:
    """Return a constant as conditions compute with it: lists as tuples."""
    return tuple(map(plain, constant.value)) if constant.kind == "list" else constant.value
