"""Paths that lead nowhere, and alternatives that are never reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from adapter.files.problems import Problem, did_you_mean
from adapter.mapping.directives import DIRECTIVES
from adapter.mapping.engine.directive import Directive, Keys
from adapter.mapping.engine.interpret import ROOT_DIRECTIVE
from adapter.mapping.engine.paths import split
from adapter.mapping.files.mapping_file import Mapping
from adapter.mapping.subscriptions.satisfiable import contradiction, types_of, ways
from adapter.model.sources import SOURCES


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
                known = DIRECTIVES.get(key)
                yield from nodes(known.unscoped(inner) if known else inner, (*keys, key))
            else:
                yield from nodes(inner, (*keys, key))


def path_findings(mapping: Mapping) -> list[Problem]:
    """Return warnings for one mapping whose subscription can match."""
    kinds = sorted({
        kind for way in ways(mapping.filter) if contradiction(way) is None
        for kind in types_of(mapping.source, way)
    })  # fmt: skip
    members = {member for kind in kinds for member in SOURCES[mapping.source].types[kind]}
    problems = []
    for node in nodes(_read_from_message(mapping.fields)):
        directive = DIRECTIVES.get(node.name)
        if directive is None:
            continue
        for path in directive.reads(node.options) if directive.reads else ():
            parts = split(path)
            if parts and parts[0] not in members:
                problems.append(_nowhere(mapping, node, path, kinds, members))
        problems += _doubts(mapping, node, directive)
    return problems


def _read_from_message(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that read the message: beside a root directive, that directive alone does."""
    return {ROOT_DIRECTIVE: fields[ROOT_DIRECTIVE]} if ROOT_DIRECTIVE in fields else fields


def _nowhere(mapping: Mapping, node: Node, path: str, kinds: list[str], members: set[str]) -> Problem:
    root = split(path)[0]
    which = (
        f"no `{kinds[0]}` of {mapping.source}"
        if len(kinds) == 1
        else f"none of its messages ({', '.join(kinds)})"
    )
    message = f"`{path}` is never there: {which} has `{root}` at its top"
    return Problem(mapping.value_mark(*node.keys, node.name), message, did_you_mean(root, members), "warning")


def _doubts(mapping: Mapping, node: Node, directive: Directive) -> list[Problem]:
    found: list[Problem] = []

    def report(path: Keys, message: str, remedy: str) -> None:
        at = mapping.field_mark(*node.keys, node.name, *path)
        found.append(Problem(at, message, remedy, "warning"))

    if directive.doubt:
        directive.doubt(node.options, report)
    return found
