"""What an import yields: the model, and what of the plan it cannot express."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from adapter.datamodel.declarations import DataModel, Declared, DeclaredEvent
from adapter.model.event_names import event_name


class NotAPlan(ValueError):
    """The document is no plan of a known kind."""


class Note(Struct, frozen=True):
    """Something that the model does not express: its place in the plan, as a JSON Pointer, and what it is."""

    place: str
    message: str


class Imported(Struct, frozen=True):
    """A model with the kind of plan it comes from, and the notes in the order of the plan."""

    kind: str
    model: DataModel
    notes: tuple[Note, ...]


class Collected:
    """Gathers the declarations of a plan, and the notes about it."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self._traits: dict[str, Declared] = {}
        self._context: dict[str, Declared] = {}
        self._events: dict[str, DeclaredEvent] = {}

    def note(self, place: str, message: str) -> None:
        """Report what the model does not express."""
        self.notes.append(Note(place, message))

    def traits(self, place: str, declared: Mapping[str, Declared]) -> None:
        """Add traits of customers."""
        self._traits = self._joined(place, self._traits, declared)

    def context(self, place: str, declared: Mapping[str, Declared]) -> None:
        """Add context of events."""
        self._context = self._joined(place, self._context, declared)

    def event(self, place: str, sent: str, declared: Mapping[str, Declared], description: Any = "") -> None:
        """Add an event under the name that mappings give to the one that is sent."""
        name = event_name(sent)
        if not name:
            self.note(place, "not expressed: an event without a name")
            return
        known = self._events.get(name, DeclaredEvent())
        text = description if isinstance(description, str) else ""
        attributes = self._joined(place, known.attributes, declared)
        self._events[name] = DeclaredEvent(attributes, known.description or text)

    def imported(self, kind: str) -> Imported:
        """Return what was gathered."""
        return Imported(kind, DataModel(self._traits, self._events, self._context), tuple(self.notes))

    def _joined(
        self, place: str, known: dict[str, Declared], added: Mapping[str, Declared]
    ) -> dict[str, Declared]:
        for name in known.keys() & added.keys():
            if not known[name].agrees(added[name]):
                self.note(place, f"`{name}` is declared twice, differently; the first declaration is kept")
        return {**added, **known}


def members(value: Any, *path: str) -> dict[str, Any]:
    """Return the object at a path of names; an empty one where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
