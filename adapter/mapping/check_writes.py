"""Two mappings that write the same thing, and traits that two mappings give different types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import combinations
from typing import Any

from msgspec import Struct

from adapter import mapping as language
from adapter.errors import MappingError
from adapter.files.problems import Problem
from adapter.mapping.compiler import Transform
from adapter.mapping.files import Mapping
from adapter.mapping.interpret import ROOT_DIRECTIVE
from adapter.mapping.readers import event_name
from adapter.mapping.satisfiable import contradiction, sample, types_of, ways
from adapter.model.customers import FIELDS
from adapter.model.spelling import spelling

#: The fields on which the name of an event depends.
_NAMING = (ROOT_DIRECTIVE, "name")
_TYPES = {
    "@template": "text", "@string": "text", "@liquid": "text", "@replace": "text", "@number": "number",
    "@amount": "number", "@total": "number",
    "@boolean": "boolean", "@datetime": "datetime", "@money": "money", "@flatten": "object",
    "@merge": "object", "@object": "object",
}  # fmt: skip
_LITERALS: tuple[tuple[Any, str], ...] = (
    (bool, "boolean"), (str, "text"), ((int, float), "number"), (list, "list"), (dict, "object"),
)  # fmt: skip


def written_twice(mappings: Sequence[Mapping]) -> Iterator[Problem]:
    """Yield what two mappings would write from one and the same message."""
    for first, second in combinations([_Writer(mapping) for mapping in mappings], 2):
        one, other = first.mapping, second.mapping
        if one.source == other.source and one.action == other.action and first.may_clash(second):
            shared = list(_shared_messages(one, other))
            if shared:
                yield from _clashes(first, second, shared)


class _Writer:
    """A mapping with what is worked out of it once, for it meets every other one."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.scope = _scope(mapping)

    def may_clash(self, other: _Writer) -> bool:
        """Say, at a quick look that spares most pairs the long one, whether the two may write the same."""
        one, two = self.fixed_name, other.fixed_name
        if one is not None and two is not None and one != two:
            return False
        return self.scope.may_meet(other.scope)

    @cached_property
    def fixed_name(self) -> str | None:
        """The event's name where it is the same for every message."""
        name = self.mapping.fields.get("name")
        return event_name(name) if self.mapping.action == "event" and isinstance(name, str) else None

    @cached_property
    def name(self) -> Transform:
        """What gives the name of its event."""
        named = {key: self.mapping.fields[key] for key in _NAMING if key in self.mapping.fields}
        return language.compile(named, tables=self.mapping.tables)

    def name_of(self, message: dict[str, Any]) -> str | None:
        """Return the name of the event that a message becomes."""
        try:
            name = self.name(message).get("name")
        except MappingError:
            return None
        return event_name(name) if isinstance(name, str) else None


class _Scope(Struct, frozen=True):
    """The types that a mapping takes, those of them with any event, and the types with their events."""

    kinds: frozenset[str]
    open: frozenset[str]
    named: frozenset[tuple[str, str]]

    def may_meet(self, other: _Scope) -> bool:
        """Say whether one message may be for both."""
        return not (
            self.named.isdisjoint(other.named)
            and self.open.isdisjoint(other.kinds)
            and other.open.isdisjoint(self.kinds)
        )


def _scope(mapping: Mapping) -> _Scope:
    opened: set[str] = set()
    named: set[tuple[str, str]] = set()
    for way in ways(mapping.filter):
        kinds = types_of(mapping.source, way)
        events = [test for test in way if test.field == "event" and test.operator in ("=", "spelled")]
        if events:
            named.update((kind, spelling(str(events[0].value))) for kind in kinds)
        else:
            opened.update(kinds)
    return _Scope(frozenset(opened | {kind for kind, _ in named}), frozenset(opened), frozenset(named))


def _shared_messages(first: Mapping, second: Mapping) -> Iterator[dict[str, Any]]:
    for way in ways(first.filter, second.filter):
        if contradiction(way) is None:
            for kind in types_of(first.source, way):
                yield {**sample(way), "type": kind}


def _clashes(one: _Writer, two: _Writer, shared: list[dict[str, Any]]) -> Iterator[Problem]:
    first, second = one.mapping, two.mapping
    other = f"`{first.name}` ({first.at.file}:{first.at.line})"
    if first.action == "event":
        name = next(filter(None, (_common_name(one, two, message) for message in shared)), None)
        if name is not None:
            message = f"records `{name}` from the same message as {other}, so it counts twice"
            remedy = "narrow one of the two subscriptions, or give the events different names"
            yield Problem(second.field_mark("name"), message, remedy)
    elif first.action == "customer.upsert":
        for keys in _written(first.fields) & _written(second.fields):
            message = f"writes `{'.'.join(keys)}` from the same message as {other}; the later one wins"
            yield Problem(second.field_mark(*keys), message, "keep one of the two", "warning")
    elif first.action.startswith("discount.") and first.fields.get("code") == second.fields.get("code"):
        message = f"moves the same discount as {other}"
        yield Problem(second.field_mark("code"), message, "keep one of the two", "warning")


def _common_name(first: _Writer, second: _Writer, message: dict[str, Any]) -> str | None:
    names = {writer.name_of(message) for writer in (first, second)}
    return names.pop() if len(names) == 1 else None


def _written(fields: dict[str, Any]) -> set[tuple[str, ...]]:
    """Return the standard fields and the traits that a customer's mapping names outright."""
    written: set[tuple[str, ...]] = {(field,) for field in FIELDS if field in fields}
    return written | {("traits", trait) for trait in _named_traits(fields)}


def _named_traits(fields: dict[str, Any]) -> dict[str, Any]:
    traits = fields.get("traits")
    if not isinstance(traits, dict):
        return {}
    if isinstance(merge := traits.get("@merge"), dict) and isinstance(merge.get("objects"), list):
        parts = [part for part in merge["objects"] if isinstance(part, dict)]
    else:
        parts = [traits]
    return {
        trait: value
        for part in parts
        if not any(key[:1] == "@" for key in part)
        for trait, value in part.items()
    }


def trait_types(mappings: Sequence[Mapping]) -> Iterator[Problem]:
    """Yield the traits that mappings, of whatever source, give different types."""
    first: dict[str, tuple[str, Mapping]] = {}
    for mapping in mappings:
        if mapping.action != "customer.upsert":
            continue
        for trait, value in _named_traits(mapping.fields).items():
            kind = type_of(value)
            if kind is None:
                continue
            known, other = first.setdefault(trait, (kind, mapping))
            if known != kind:
                message = (f"the trait `{trait}` is {kind} here and {known} in `{other.name}` "
                           f"({other.at.file}:{other.at.line})")  # fmt: skip
                remedy = f"give it one type in both, as with `@{'string' if known == 'text' else known}`"
                yield Problem(mapping.field_mark("traits", trait), message, remedy)


def type_of(value: Any) -> str | None:
    """Return the type that a mapped value always has, or None where it depends on the message."""
    directive = next((key for key in value if key[:1] == "@"), None) if isinstance(value, dict) else None
    if directive is None:
        return next((name for kinds, name in _LITERALS if isinstance(value, kinds)), None)
    options = value[directive]
    if directive == "@literal":
        return type_of(options)
    branches: list[Any] = []
    if directive == "@if" and isinstance(options, dict):
        branches = [options[branch] for branch in ("then", "else") if branch in options]
    elif directive == "@first" and isinstance(options, list):
        branches = options
    kinds = {type_of(branch) for branch in branches}
    return kinds.pop() if len(kinds) == 1 else _TYPES.get(directive)
