"""Traits that two mappings give different types, and the types of mapped values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from adapter.files.problems import Problem
from adapter.mapping.directives import directives_of
from adapter.mapping.files.mapping_file import Mapping

_LITERALS: tuple[tuple[Any, str], ...] = (
    (bool, "boolean"), (str, "text"), ((int, float), "number"), (list, "list"), (dict, "object"),
)  # fmt: skip


def named_traits(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the traits that a customer's mapping names outright, with their values."""
    traits = fields.get("traits")
    if not isinstance(traits, dict):
        return {}
    merged = [part for directive, options in directives_of(traits) if directive.merges
              for _, part in directive.merges(options)]  # fmt: skip
    parts = [part for part in merged or [traits] if isinstance(part, dict)]
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
        for trait, value in named_traits(mapping.fields).items():
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
    if not isinstance(value, dict) or not any(key[:1] == "@" for key in value):
        return next((name for kinds, name in _LITERALS if isinstance(value, kinds)), None)
    directive, options = next(directives_of(value), (None, None))
    if directive is None:
        return None
    if directive.literal:
        return type_of(options)
    branches = directive.branches.of(options) if directive.branches else ()
    kinds = {type_of(branch) for _, branch in branches}
    return kinds.pop() if len(kinds) == 1 else directive.result
