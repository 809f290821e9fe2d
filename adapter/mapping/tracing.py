"""Mapping with a record of what was read, for explanations, and for reasons that name their field."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from adapter.errors import MappingError
from adapter.mapping.directives import DIRECTIVES
from adapter.mapping.engine.directive_object import is_directive
from adapter.mapping.engine.errors import FieldMissing
from adapter.mapping.engine.interpret import Resolver, root_of
from adapter.mapping.engine.javascript import keys
from adapter.mapping.engine.values import UNDEFINED, as_json
from adapter.mapping.files.mapping_file import Mapping

#: So many paths are named of a value that is made of more.
_NAMED = 4


class Read(Struct, frozen=True):
    """A path that was read; `found` says whether anything stood there."""

    path: str
    found: bool


class Tracing(Resolver):
    """Resolves as the reference does, and records; for one mapping and one document.

    After a MappingError `failed` says which field it is of, and what was read for it.
    """

    def __init__(self, mapping: Mapping, document: dict[str, Any]) -> None:
        super().__init__(DIRECTIVES, mapping.tables)
        self.document = document
        self.fields: dict[str, Any] = root_of(mapping.fields)
        self.reads: list[Read] = []
        self._known: dict[int, str] = {id(document): "$"}
        self._place: list[str | int] = []
        self._origin: list[Read] | None = None
        self._items: list[int | None] = []

    @property
    def failed(self) -> str:
        """The field that failed, as in "`items[0].price` from `$.products[0].cost`"; empty where none did."""
        if not self._place:
            return ""
        steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in self._place]
        read = [f"`{path}`" for path in dict.fromkeys(read.path for read in self._origin or ())]
        return f"`{''.join(steps).removeprefix('.')}`" + (f" from {', '.join(read[:_NAMED])}" if read else "")

    def field(self, name: str) -> Any:
        """Return one field's value, UNDEFINED where there is none; its reads replace the last one's."""
        self.reads = []
        return self._member(name, self.fields[name], self.document)

    def all(self) -> Any:
        """Return all fields as the action sees them."""
        return as_json(self.resolve(self.fields, self.document))

    def resolve(self, mapping: Any, payload: Any) -> Any:
        """Return the raw value; when a member of it fails, its place is known from then on."""
        if type(mapping) is list:
            return [self._member(index, item, payload) for index, item in enumerate(mapping)]
        if type(mapping) is dict and not is_directive(mapping):
            return {key: self._member(key, mapping[key], payload) for key in keys(mapping)}
        return super().resolve(mapping, payload)

    def _member(self, key: str | int, mapping: Any, payload: Any) -> Any:
        try:
            return self.resolve(mapping, payload)
        except MappingError:
            self._place.insert(0, key)
            raise

    def run(self, name: str, mapping: dict[str, Any], payload: Any) -> Any:
        """Run a directive; the innermost that fails is the one whose reads count."""
        before = len(self.reads)
        self._items.append(None)
        try:
            return super().run(name, mapping, payload)
        except MappingError:
            self._origin = self.reads[before:] if self._origin is None else self._origin
            if (index := self._items[-1]) is not None:
                self._place.insert(0, index)
            raise
        finally:
            self._items.pop()

    def read(self, payload: Any, path: str) -> Any:
        """Read and record; the value is known by its path from then on."""
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
        self._items[-1] = index
        item = super().item(items, index)
        start = self._known.get(id(items))
        if start is not None and isinstance(item, dict | list):
            self._known.setdefault(id(item), f"{start}[{index}]")
        return item


def reason(mapping: Mapping, document: dict[str, Any], error: MappingError) -> str:
    """Return why a mapping failed on a document, the field first where the error does not name it itself.

    Maps once more to find the field, so that mapping costs nothing more where nothing fails.
    """
    tracing = Tracing(mapping, document)
    try:
        tracing.all()
    except (MappingError, RecursionError):
        return named(tracing, error)
    return error.message


def named(tracing: Tracing, error: MappingError) -> str:
    """Return an error's message with the field at which a mapping stopped, and what was read for it."""
    if isinstance(error, FieldMissing):
        return f"{error.message}{_read_for(tracing, error.field)}"
    return f"{tracing.failed}: {error.message}" if tracing.failed else error.message


def _read_for(tracing: Tracing, field: str) -> str:
    if field in tracing.fields:
        tracing.field(field)
    read = [f"`{path}`" for path in dict.fromkeys(read.path for read in tracing.reads)]
    return f" ({', '.join(read[:_NAMED])})" if read else ""
