"""What a data model declares, as values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from adapter.datamodel.types import Type

#: `keep` takes what does not fit as it is, and flags it; `quarantine` keeps the whole message back.
Policy = Literal["keep", "quarantine"]
#: Likewise for what is not declared; `allow` takes it without a word.
UnknownPolicy = Literal["allow", "keep", "quarantine"]


class Declared(Struct, frozen=True):
    """A trait or an attribute. `misfit` is the shop's policy unless it says its own.

    `required` means of an attribute that every such event has it, of a trait that it is never null. `of`
    declares members of an object, or of the objects in a list.
    """

    type: Type
    required: bool = False
    misfit: Policy = "keep"
    description: str = ""
    of: dict[str, Declared] = {}

    def agrees(self, other: Declared) -> bool:
        """Say whether both ask the same of a value."""
        return replace(self, description="") == replace(other, description="")


class DeclaredEvent(Struct, frozen=True):
    """An event and its attributes, those it takes over from another one included."""

    attributes: dict[str, Declared] = {}
    description: str = ""


class DataModel(Struct, frozen=True):
    """All that a shop shares. `unknown` is the policy for events, traits and attributes not declared.

    `context` is None where the model says nothing of it; what it does not declare there is never flagged.
    """

    traits: dict[str, Declared] = {}
    events: dict[str, DeclaredEvent] = {}
    context: dict[str, Declared] | None = None
    unknown: UnknownPolicy = "allow"
    misfit: Policy = "keep"
    file: str = "model.yaml"

    def attributes(self, events: Iterable[str] | None = None) -> dict[str, tuple[Declared, ...]]:
        """Return by name what attributes of these events (of all, when None) are declared as."""
        found: dict[str, tuple[Declared, ...]] = {}
        for name in self.events if events is None else events:
            for attribute, declared in self.events.get(name, DeclaredEvent()).attributes.items():
                found[attribute] = (*found.get(attribute, ()), declared)
        return found
