"""Override entries of a starter by their names: with an entry of the same name, or under `disable`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from adapter.files.problems import Problem, did_you_mean
from adapter.files.yaml import Document


class _Named(Protocol):
    @property
    def name(self) -> str:
        """The name of the entry."""


T = TypeVar("T", bound=_Named)


def overridden(document: Document, base: Sequence[T], own: Sequence[T]) -> tuple[list[T], list[Problem]]:
    """Return the entries in force of a file that extends starters, and the problems of its `disable`.

    The starters' entries keep their order; an own one of the same name takes the place, others follow.
    """
    disabled, problems = _disabled(document, [each.name for each in base])
    named = {each.name: each for each in own}
    kept = [each for each in base if each.name not in disabled]
    taken = {each.name for each in kept} & named.keys()
    left = [named[each.name] if each.name in taken else each for each in kept]
    # Two own ones of the same name both stay, so that this is reported.
    return left + [each for each in own if each.name not in taken or named[each.name] is not each], problems


def _disabled(document: Document, known: Sequence[str]) -> tuple[set[str], list[Problem]]:
    root: dict[str, Any] = document.value
    value = root.get("disable")
    if value is None:
        return set(), []
    if not isinstance(value, list):
        return set(), [document.problem(("disable",), "`disable` is no list", "write [one name, another]")]
    if "extends" not in root:
        remedy = "delete the entries themselves, or write `extends:`"
        return set(), [document.problem(("disable",), "the file extends no starter", remedy, key=True)]
    wrong = [
        document.problem(("disable", index), f"the starter has no `{name}`", did_you_mean(str(name), known))
        for index, name in enumerate(value)
        if name not in known
    ]
    return {str(name) for name in value}, wrong
