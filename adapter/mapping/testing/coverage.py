"""Which mappings, and which of their branches, no case exercises."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from adapter.errors import MappingError
from adapter.files.problems import Mark
from adapter.files.starters import is_starter
from adapter.mapping.explain.branch_coverage import Branching, branches
from adapter.mapping.files.mapping_file import Mapping
from adapter.mapping.mapping_set import MappingSet
from adapter.mapping.subscriptions import compile_subscription
from adapter.mapping.testing.cases import Result


class Unexercised(Struct, frozen=True):
    """A mapping, or a branch of it (`branch` is empty for the whole), that no case reaches."""

    at: Mark
    mapping: str
    branch: str = ""

    def __str__(self) -> str:
        what = f"{self.branch} in `{self.mapping}`" if self.branch else f"`{self.mapping}`"
        return f"{self.at.file}:{self.at.line}:{self.at.column}: no case exercises {what}"


def unexercised(book: MappingSet, results: Sequence[Result]) -> list[Unexercised]:
    """Return what the messages of these cases never reached, in the order of the files.

    A branch that is in several mappings (through a YAML anchor) counts when any of them takes it.
    """
    missed: dict[Mark, Unexercised] = {}
    reached: set[Mark] = set()
    for mapping in book.mappings:
        if is_starter(mapping.document.file):
            continue  # the package tests it
        documents = _documents(mapping, results)
        if not documents:
            missed[mapping.at] = Unexercised(mapping.at, mapping.name)
            continue
        taken = _taken(mapping, documents)
        for keys, identity in branches(mapping.fields):
            at = mapping.value_mark(*keys)
            if identity in taken:
                reached.add(at)
            else:
                missed.setdefault(at, Unexercised(at, mapping.name, _named(keys)))
    return sorted((missed[at] for at in missed.keys() - reached), key=lambda found: found.at)


def _documents(mapping: Mapping, results: Sequence[Result]) -> list[dict[str, Any]]:
    takes = compile_subscription(mapping.filter)
    return [
        message.document for result in results if _runs(mapping, result)
        for message in result.messages if takes(message.document)
    ]  # fmt: skip


def _runs(mapping: Mapping, result: Result) -> bool:
    case = result.case
    return case.source == mapping.source and (not case.only or mapping.among(case.only))


def _taken(mapping: Mapping, documents: Sequence[dict[str, Any]]) -> set[int]:
    taken: set[int] = set()
    for document in documents:
        branching = Branching(mapping, document)
        with suppress(MappingError):
            branching.all()
        taken |= branching.taken
    return taken


def _named(keys: Sequence[str | int]) -> str:
    branch = keys[-1]
    name = next(str(key) for key in reversed(keys) if str(key)[:1] == "@")
    of = f"of {'an' if name[1] in 'aeiou' else 'a'} `{name}`"
    return f"alternative {branch + 1} {of}" if isinstance(branch, int) else f"the `{branch}` {of}"
