"""Why a message becomes what it becomes: for `adapter map`, as values and as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from adapter.errors import MappingError
from adapter.files.dumping import dump
from adapter.mapping.actions import builders as operations
from adapter.mapping.actions.as_json import plain
from adapter.mapping.engine import paths
from adapter.mapping.engine.values import UNDEFINED, as_json
from adapter.mapping.files.mapping_file import Mapping
from adapter.mapping.mapping_set import MappingSet
from adapter.mapping.subscriptions import Condition, Group, compile_subscription
from adapter.mapping.tracing import Tracing, named
from adapter.model.messages import Message
from adapter.model.operations import Operation

_TESTS = {
    "number_equals": "= {}", "number_not_equals": "!= {}", "is_true": "= true", "is_false": "= false",
    "exists": "!= null", "not_exists": "= null", "starts_with": "start with {}", "ends_with": "end with {}",
    "not_starts_with": "not start with {}", "not_ends_with": "not end with {}", "contains": "contain {}",
    "not_contains": "be text without {}",
}  # fmt: skip
_INDEX = re.compile(r"\[\d+\]")


class FieldExplained(Struct, frozen=True):
    """One field: its value, and the paths that were read for it; those without a value in `missing`."""

    name: str
    value: Any
    paths: tuple[str, ...]
    missing: tuple[str, ...]


class MappingExplained(Struct, frozen=True, omit_defaults=True):
    """One mapping: whether it takes the message, else what fails; what it yields, or why not.

    With an `error`, the `fields` are those that were mapped before it.
    """

    name: str
    place: str
    matched: bool
    why_not: str = ""
    fields: tuple[FieldExplained, ...] = ()
    operations: tuple[Any, ...] = ()
    error: str = ""


class Explanation(Struct, frozen=True):
    """One message against all mappings of its source."""

    source: str
    key: str
    type: str
    event: str
    mappings: tuple[MappingExplained, ...]

    def json(self) -> bytes:
        """Return the explanation as JSON."""
        return msgspec.json.encode(self)

    def text(self) -> str:
        """Return the explanation as lines for a terminal."""
        return "\n".join(_lines(self))


def explain(book: MappingSet, message: Message) -> Explanation:
    """Explain a message; never raises for what a mapping cannot do with it."""
    message = book.as_mapped(message)
    document = message.document
    mappings = tuple(_explained(mapping, message, book) for mapping in book.of(message.source))
    kind, event = document.get("type"), document.get("event")
    return Explanation(message.source, message.key, str(kind or ""), str(event or ""), mappings)


def _explained(mapping: Mapping, message: Message, book: MappingSet) -> MappingExplained:
    place = f"{mapping.at.file}:{mapping.at.line}"
    why_not = _why_not(mapping.filter, message.document)
    if why_not:
        return MappingExplained(mapping.name, place, matched=False, why_not=why_not)
    tracing = Tracing(mapping, message.document)
    fields: list[FieldExplained] = []
    out: list[Operation] = []
    error = ""
    try:
        fields.extend(_fields(tracing))
        operations.builder(mapping.action, mapping.fields)(tracing.all() or {}, message, out)
        out = [book.placeholders.resolved(operation, message.source) for operation in out]
        out = [book.fit(operation) for operation in out] if book.fit is not None else out
    except MappingError as failed:
        error, out = named(tracing, failed), []
    shown = tuple(plain(operation) for operation in out)
    return MappingExplained(
        mapping.name, place, matched=True, fields=tuple(fields), operations=shown, error=error
    )


def _fields(tracing: Tracing) -> Iterator[FieldExplained]:
    for name in tracing.fields:
        value = tracing.field(name)
        found = dict.fromkeys(read.path for read in tracing.reads if read.found)
        missing = dict.fromkeys(read.path for read in tracing.reads if not read.found)
        if value is not UNDEFINED:
            yield FieldExplained(name, as_json(value), tuple(found), tuple(missing))
        else:
            yield FieldExplained(name, None, tuple(found), tuple(missing))


def _why_not(ast: Group | Condition, document: dict[str, Any]) -> str:
    """Return what fails first, with the value found there; empty when the whole holds."""
    if compile_subscription(ast)(document):
        return ""
    if isinstance(ast, Condition):
        return _failed(ast, document)
    if ast.operator == "and":
        return next(why for why in (_why_not(child, document) for child in ast.children) if why)
    return _none_of(ast, document)


def _none_of(ast: Group, document: dict[str, Any]) -> str:
    first = ast.children[0]
    tests = [
        child for child in ast.children if isinstance(child, Condition) and child.operator in ("=", "spelled")
    ]
    same = len({(test.field, test.name) for test in tests}) == 1 and len(tests) == len(ast.children)
    if same and isinstance(first, Condition):
        return f"{_seen(first, document)}, not one of {', '.join(_short(test.value) for test in tests)}"
    return ", and ".join(dict.fromkeys(_why_not(child, document) for child in ast.children))


def _failed(condition: Condition, document: dict[str, Any]) -> str:
    seen = _seen(condition, document)
    if condition.operator in ("=", "spelled"):
        return f"{seen}, not {_short(condition.value)}"
    test = _TESTS.get(condition.operator, f"{condition.operator} {{}}").format(_short(condition.value))
    return f"{seen}; it must {test if test[0].isalpha() else f'be `{test}`'}"


def _seen(condition: Condition, document: dict[str, Any]) -> str:
    name = f"{condition.field}.{condition.name}" if condition.name else condition.field
    value = paths.get(document, name)
    return f"`{name}` is missing" if value is UNDEFINED else f"`{name}` is {_short(value)}"


def _short(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def _lines(explanation: Explanation) -> Iterator[str]:
    event = f" `{explanation.event}`" if explanation.event else ""
    yield f"{explanation.source} {explanation.type}{event}, key {explanation.key}"
    for mapping in explanation.mappings:
        if mapping.matched:
            yield f"  takes it: {mapping.name} ({mapping.place})"
            yield from _matched_lines(mapping)
    for mapping in explanation.mappings:
        if not mapping.matched:
            yield f"  does not: {mapping.name} ({mapping.place}): {mapping.why_not}"


def _matched_lines(mapping: MappingExplained) -> Iterator[str]:
    for field in mapping.fields:
        read = dict.fromkeys(_INDEX.sub("[]", path) for path in field.paths)
        origin = f"  from {', '.join(read)}" if read else ""
        if field.value is None and not field.paths:
            origin = f"  nothing at {', '.join(field.missing)}" if field.missing else ""
        yield f"    {field.name}: {_short(field.value)}{origin}"
    if mapping.error:
        yield f"    quarantined: {mapping.error}"
    elif not mapping.operations:
        yield "    yields nothing"
    if mapping.operations:
        yield "    yields"
        yield dump(list(mapping.operations), indent=6)
