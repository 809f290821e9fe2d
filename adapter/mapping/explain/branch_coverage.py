"""Mapping with a record of which way it went, for coverage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.mapping.directives import DIRECTIVES
from adapter.mapping.files.mapping_file import Mapping
from adapter.mapping.tracing import Tracing

Keys = tuple[str | int, ...]


class Branching(Tracing):
    """Records also the branches that give a value, in `taken`."""

    def __init__(self, mapping: Mapping, document: dict[str, Any]) -> None:
        super().__init__(mapping, document)
        self.taken: set[int] = set()

    def run(self, name: str, mapping: dict[str, Any], payload: Any) -> Any:
        """Run a directive; where it has branches, record which of them gives the value."""
        branches = DIRECTIVES[name].branches if name in DIRECTIVES else None
        branch = branches.taken(mapping[name], payload, self) if branches else None
        if branch is not None:
            self.taken.add(branch_id(mapping[name], branch))
        return super().run(name, mapping, payload)


def branch_id(options: Any, branch: str | int) -> int:
    """Return what identifies a branch while its file's values live."""
    return hash((id(options), branch))


def branches(value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, int]]:
    """Yield the branches of directives, as `@if`, in fields: the keys that lead there, and the id."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from branches(item, (*keys, index))
    elif isinstance(value, dict):
        for key, inner in value.items():
            place = (*keys, key)
            if key in DIRECTIVES and (held := DIRECTIVES[key].branches):
                yield from (((*place, *below), branch_id(inner, below[-1])) for below, _ in held.of(inner))
            yield from branches(inner, place)
