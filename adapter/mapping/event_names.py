"""The names that mapping files give to events in whatever spelling, so that stored ones can follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from adapter.datamodel.coerce import declared_spellings
from adapter.datamodel.declarations import DataModel
from adapter.mapping.directives import directives_of
from adapter.mapping.files.mapping_file import Mapping
from adapter.mapping.lint.outputs import event_names
from adapter.model.event_names import EventNames, event_name


def names_given(mappings: Sequence[Mapping], model: DataModel | None) -> EventNames:
    """Return the names given by the tables that mappings of events look their names up in, and by the model.

    What a mapping names outright, or the model declares, is kept as it is.
    """
    given = [pair for mapping in mappings for pair in _given(mapping)]
    named = {name for mapping in mappings for name in event_names(mapping).names}
    declared = {} if model is None else model.events
    given += [(name, name) for name in declared_spellings(declared).values()]
    return EventNames.of(given, named | set(declared))


def _given(mapping: Mapping) -> Iterator[tuple[str, str]]:
    if mapping.action == "event":
        for table in _tables(mapping.fields.get("name")):
            for sent, name in mapping.tables.get(table, {}).items():
                if isinstance(name, str):
                    yield sent, event_name(name)


def _tables(value: Any) -> Iterator[str]:
    """Yield the tables that a value looks into by spelling."""
    if isinstance(value, list):
        for item in value:
            yield from _tables(item)
    elif isinstance(value, dict):
        for directive, options in directives_of(value):
            if directive.looks_up and isinstance(options, dict) and options.get("spelling") == "any":
                yield str(options.get("table"))
        for item in value.values():
            yield from _tables(item)
