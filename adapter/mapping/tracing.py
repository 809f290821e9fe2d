"""Mapping with a record of what was read and which way it went, for explanations and coverage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from adapter.mapping.directives import DIRECTIVES
from adapter.mapping.directives.branch import is_filled
from adapter.mapping.files import Mapping
from adapter.mapping.interpret import Resolver, root_of
from adapter.mapping.values import UNDEFINED, as_json

Keys = tuple[str | int, ...]


class Read(Struct, frozen=True):
    """A path that was read; `found` says whether anything stood there."""

    path: str
    found: bool


class Tracing(Resolver):
    """Resolves as the reference does, and records; for one mapping and one document."""

    def __init__(self, mapping: Mapping, document: dict[str, Any]) -> None:
        super().__init__(DIRECTIVES, mapping.tables)
        self.document = document
        self.fields: dict[str, Any] = root_of(mapping.fields)
        self.reads: list[Read] = []
        self.taken: set[int] = set()
        self._known: dict[int, str] = {id(document): "$"}

    def field(self, name: str) -> Any:
        """Return one field's value, UNDEFINED where there is none; its reads replace the last one's."""
        self.reads = []
        return self.resolve(self.fields[name], self.document)

    def all(self) -> Any:
        """Return all fields as the action sees them."""
        return as_json(self.resolve(self.fields, self.document))

    def read(self, payload: Any, path: str) -> Any:
        """Read and record; what stands there is known by its path from then on."""
        value = super().read(payload, path)
        start = self._known.get(id(payload))
        if start is not None:
            whole = f"{start}.{path}" if path else start
            self.reads.append(Read(whole, value is not UNDEFINED))
            if isinstance(value, dict | list):
                self._known.setdefault(id(value), whole)
        return value

    def item(self, items: list[Any], index: int) -> Any:
        """Return an item, known by its place in the list."""
        item = super().item(items, index)
        start = self._known.get(id(items))
        if start is not None and isinstance(item, dict | list):
            self._known.setdefault(id(item), f"{start}[{index}]")
        return item

    def run(self, name: str, mapping: dict[str, Any], payload: Any) -> Any:
        """Run a directive; of `@if` and `@first`, record which branch gives the value."""
        options = mapping[name]
        if name == "@if" and isinstance(options, dict):
            self._branch(options, payload)
        elif name == "@first" and isinstance(options, list):
            self._alternative(options, payload)
        return super().run(name, mapping, payload)

    def _branch(self, options: dict[str, Any], payload: Any) -> None:
        if "exists" in options:
            value = self.resolve(options["exists"], payload)
            holds = value is not UNDEFINED and value is not None
        else:
            holds = is_filled(self.resolve(options.get("blank"), payload))
        self.taken.add(branch_id(options, "then" if holds else "else"))

    def _alternative(self, options: list[Any], payload: Any) -> None:
        for index, option in enumerate(options):
            value = self.resolve(option, payload)
            if value is not UNDEFINED and value is not None:
                self.taken.add(branch_id(options, index))
                return


def branch_id(options: Any, branch: str | int) -> int:
    """Return what identifies a branch while its file's values live."""
    return hash((id(options), branch))


def branches(value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, int]]:
    """Yield the branches of `@if` and `@first` in fields: the keys that lead there, and the id."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from branches(item, (*keys, index))
    elif isinstance(value, dict):
        for key, inner in value.items():
            place = (*keys, key)
            if key == "@if" and isinstance(inner, dict):
                yield from (
                    ((*place, name), branch_id(inner, name)) for name in ("then", "else") if name in inner
                )
            elif key == "@first" and isinstance(inner, list):
                yield from (((*place, index), branch_id(inner, index)) for index in range(len(inner)))
            yield from branches(inner, place)
