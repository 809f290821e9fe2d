"""Mapping with a record of which way it went, for coverage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.mapping.directives.first import is_told
from adapter.mapping.directives.if_then import is_filled
from adapter.mapping.engine.values import UNDEFINED
from adapter.mapping.files.mapping_file import Mapping
from adapter.mapping.tracing import Tracing

Keys = tuple[str | int, ...]


class Branching(Tracing):
    """Records also the branches that give a value, in `taken`."""

    def __init__(self, mapping: Mapping, document: dict[str, Any]) -> None:
        super().__init__(mapping, document)
        self.taken: set[int] = set()

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
            if is_told(self.resolve(option, payload)):
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
