"""The declarations of a data model: traits, events, context and their policies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from adapter.datamodel.constraints import NONE, Constraints
from adapter.datamodel.types import Type

#: `keep` stores an invalid value unchanged and flags it; `quarantine` quarantines the whole message.
Policy = Literal["keep", "quarantine"]
#: The same for undeclared names; `allow` stores them without a flag.
UnknownPolicy = Literal["allow", "keep", "quarantine"]


class Declared(Struct, frozen=True):
    """A trait or an attribute. `misfit` is its own policy, by default the shop's.

    A `required` attribute is present in every such event; a `required` trait is never null. `of` declares the
    members of an object, or of the objects in a list. `constraints` are what values must be beyond the type.
    """

    type: Type
    required: bool = False
    misfit: Policy = "keep"
    description: str = ""
    of: dict[str, Declared] = {}
    constraints: Constraints = NONE

    def agrees(self, other: Declared) -> bool:
        """Return whether both declare the same, descriptions aside."""
        return replace(self, description="") == replace(other, description="")


class DeclaredEvent(Struct, frozen=True):
    """An event and its attributes, including the inherited ones (`like`)."""

    attributes: dict[str, Declared] = {}
    description: str = ""


class DataModel(Struct, frozen=True):
    """The whole model. `unknown` is the policy for undeclared events, traits and attributes.

    `context` is None where the model has no such block; undeclared members of it are never flagged.
    """

    traits: dict[str, Declared] = {}
    events: dict[str, DeclaredEvent] = {}
    context: dict[str, Declared] | None = None
    unknown: UnknownPolicy = "allow"
    misfit: Policy = "keep"
    file: str = "model.yaml"

    def attributes(self, events: Iterable[str] | None = None) -> dict[str, tuple[Declared, ...]]:
        """Return the declarations of the attributes of these events (of all, when None) by name."""
        found: dict[str, tuple[Declared, ...]] = {}
        for name in self.events if events is None else events:
            for attribute, declared in self.events.get(name, DeclaredEvent()).attributes.items():
                found[attribute] = (*found.get(attribute, ()), declared)
        return found
