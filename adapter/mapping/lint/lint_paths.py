"""Paths that lead nowhere, and alternatives that are never reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from adapter.files.problems import Problem, did_you_mean
from adapter.mapping.directives import _templates
from adapter.mapping.engine.interpret import ROOT_DIRECTIVE
from adapter.mapping.engine.paths import split, without_root
from adapter.mapping.files.mapping_file import Mapping, has_directive
from adapter.mapping.subscriptions.satisfiable import contradiction, types_of, ways
from adapter.model.sources import SOURCES

Keys = tuple[str | int, ...]


class Node(Struct, frozen=True):
    """One directive of a mapping; `name` with its `@`, `keys` its place in the fields."""

    keys: Keys
    name: str
    options: Any


def nodes(value: Any, keys: Keys = ()) -> Iterator[Node]:
    """Yield the directives that read the document itself, not an item or a result of another."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from nodes(item, (*keys, index))
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key[:1] == "@":
                yield Node(keys, key, inner)
                yield from _inside(key, inner, (*keys, key))
            else:
                yield from nodes(inner, (*keys, key))


def _inside(name: str, options: Any, keys: Keys) -> Iterator[Node]:
    if name == "@arrayPath" and isinstance(options, list):
        yield from nodes(options[:1], keys)
    elif name in ("@transform", "@map", "@filter", "@total") and isinstance(options, dict):
        for option in ("apply", "items", "with"):
            if option in options:
                yield from nodes(options[option], (*keys, option))
    else:
        yield from nodes(options, keys)


def path_findings(mapping: Mapping) -> list[Problem]:
    """Return warnings for one mapping whose subscription can match."""
    kinds = sorted({
        kind for way in ways(mapping.filter) if contradiction(way) is None
        for kind in types_of(mapping.source, way)
    })  # fmt: skip
    members = {member for kind in kinds for member in SOURCES[mapping.source].types[kind]}
    problems = []
    for node in nodes(_read_from_message(mapping.fields)):
        for path in _paths(node):
            parts = split(path)
            if parts and parts[0] not in members:
                problems.append(_nowhere(mapping, node, path, kinds, members))
        problems += _never_reached(mapping, node)
    return problems


def _read_from_message(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that read the message: beside a root directive, that directive alone does."""
    return {ROOT_DIRECTIVE: fields[ROOT_DIRECTIVE]} if ROOT_DIRECTIVE in fields else fields


def _paths(node: Node) -> list[str]:
    if node.name == "@path" and isinstance(node.options, str):
        return [without_root(node.options)]
    if node.name == "@arrayPath" and isinstance(node.options, list) and node.options:
        return [without_root(node.options[0])] if isinstance(node.options[0], str) else []
    if node.name == "@template" and isinstance(node.options, str):
        return _templates.placeholders(node.options)
    return []


def _nowhere(mapping: Mapping, node: Node, path: str, kinds: list[str], members: set[str]) -> Problem:
    root = split(path)[0]
    which = (
        f"no `{kinds[0]}` of {mapping.source}"
        if len(kinds) == 1
        else f"none of its messages ({', '.join(kinds)})"
    )
    message = f"`{path}` is never there: {which} has `{root}` at its top"
    return Problem(mapping.value_mark(*node.keys, node.name), message, did_you_mean(root, members), "warning")


def _never_reached(mapping: Mapping, node: Node) -> Iterator[Problem]:
    place = (*node.keys, node.name)
    if node.name == "@first" and isinstance(node.options, list):
        for index, item in enumerate(node.options[:-1]):
            if item is not None and not has_directive(item):
                after = mapping.field_mark(*place, index + 1)
                message = "never reached: the value before it is always there"
                yield Problem(after, message, "drop it, or move the fixed value to the end", "warning")
                return
    if node.name == "@if" and isinstance(node.options, dict):
        tested = node.options.get("exists", node.options.get("blank"))
        if tested is not None and not has_directive(tested):
            message = "the condition is the same for every message"
            yield Problem(mapping.field_mark(*place), message, "test a `@path`", "warning")
