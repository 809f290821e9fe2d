"""Two mappings that write the same thing from one message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import Any

from msgspec import Struct

from adapter.errors import MappingError
from adapter.files.problems import Problem
from adapter.mapping.compiler import Transform
from adapter.mapping.compiler import compile as compile_mapping
from adapter.mapping.engine.interpret import ROOT_DIRECTIVE
from adapter.mapping.files.mapping_file import Mapping
from adapter.mapping.lint.lint_conflicts import named_traits
from adapter.mapping.subscriptions.satisfiable import contradiction, sample, types_of, ways
from adapter.model.customers import FIELDS
from adapter.model.event_names import event_name
from adapter.model.spelling import spelling

#: A mapping is compared with so many earlier ones that may write the same; no file written by hand has more.
_MOST_RIVALS = 20
#: The fields on which the name of an event depends.
_NAMING = (ROOT_DIRECTIVE, "name")
#: Under these an index keeps what has no fixed name, and everything.
_OPEN, _ALL = "open", "all"
#: Source and action; what is written; type of message; name of its event.
_Place = tuple[str, str, str, str, str]


class _Target(Struct, frozen=True):
    """What a mapping writes: the keys of the field, and the words under which an index keeps and finds it."""

    keys: tuple[str, ...]
    kept: tuple[str, ...]
    sought: tuple[str, ...]


def written_twice(mappings: Sequence[Mapping]) -> Iterator[Problem]:
    """Yield what two mappings would write from one and the same message, each thing once for a mapping."""
    index: dict[_Place, list[_Writer]] = {}
    for mapping in mappings:
        writer = _Writer(mapping)
        for target in writer.targets:
            rivals = chain.from_iterable(
                index.get(place, ()) for place in writer.places(target.sought, _sought)
            )
            found = (writer.clash(rival, target) for rival in _distinct(rivals, _MOST_RIVALS))
            yield from islice((problem for problem in found if problem is not None), 1)
        for target in writer.targets:
            for place in writer.places(target.kept, _kept):
                index.setdefault(place, []).append(writer)


def _distinct(writers: Iterator[_Writer], most: int) -> Iterator[_Writer]:
    seen: set[int] = set()
    for writer in writers:
        if id(writer) not in seen:
            yield writer
            seen.add(id(writer))
            if len(seen) == most:
                return


def _kept(name: str | None) -> tuple[str, str]:
    return (_OPEN if name is None else f"={name}", _ALL)


def _sought(name: str | None) -> tuple[str, ...]:
    return (_ALL,) if name is None else (f"={name}", _OPEN)


class _Writer:
    """A mapping with what is worked out of it once, for it meets several others."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping

    @cached_property
    def targets(self) -> tuple[_Target, ...]:
        """What it writes that another mapping may write too."""
        fields, action = self.mapping.fields, self.mapping.action
        if action == "event":
            return (_Target(("name",), _kept(self.fixed_name), _sought(self.fixed_name)),)
        if action == "customer.upsert":
            standard = [(field,) for field in FIELDS if field in fields]
            named = [*standard, *(("traits", trait) for trait in named_traits(fields))]
            return tuple(_Target(keys, (repr(keys),), (repr(keys),)) for keys in named)
        code = repr(fields.get("code"))
        return (_Target(("code",), (code,), (code,)),) if action.startswith("discount.") else ()

    @cached_property
    def scope(self) -> set[tuple[str, str | None]]:
        """The types of messages that it takes, each with the name of its event, None for any."""
        taken: set[tuple[str, str | None]] = set()
        for way in ways(self.mapping.filter):
            events = [test for test in way if test.field == "event" and test.operator in ("=", "spelled")]
            name = spelling(str(events[0].value)) if events else None
            taken.update((kind, name) for kind in types_of(self.mapping.source, way))
        return taken

    def places(self, words: Sequence[str], named: Any) -> Iterator[_Place]:
        """Yield the places of an index for what it writes, from the messages that it takes."""
        for kind, event in sorted(self.scope, key=repr):
            for name in named(event):
                for word in words:
                    yield (self.mapping.source, self.mapping.action, word, kind, name)

    @cached_property
    def fixed_name(self) -> str | None:
        """The event's name where it is the same for every message."""
        name = self.mapping.fields.get("name")
        return event_name(name) if self.mapping.action == "event" and isinstance(name, str) else None

    @cached_property
    def name(self) -> Transform:
        """What gives the name of its event."""
        named = {key: self.mapping.fields[key] for key in _NAMING if key in self.mapping.fields}
        return compile_mapping(named, tables=self.mapping.tables)

    def name_of(self, message: dict[str, Any]) -> str | None:
        """Return the name of the event that a message becomes."""
        try:
            name = self.name(message).get("name")
        except MappingError:
            return None
        return event_name(name) if isinstance(name, str) else None

    def clash(self, earlier: _Writer, target: _Target) -> Problem | None:
        """Return the problem that an earlier mapping writes a target too, if some message is for both."""
        first, second = earlier.mapping, self.mapping
        other = f"`{first.name}` ({first.at.file}:{first.at.line})"
        at = second.field_mark(*target.keys)
        shared = _shared_messages(first, second)
        if second.action == "event":
            name = next(filter(None, (_common_name(earlier, self, message) for message in shared)), None)
            if name is None:
                return None
            message = f"records `{name}` from the same message as {other}, so it counts twice"
            return Problem(
                at, message, "narrow one of the two subscriptions, or give the events different names"
            )
        if next(shared, None) is None:
            return None
        if second.action == "customer.upsert":
            message = f"writes `{'.'.join(target.keys)}` from the same message as {other}; the later one wins"
            return Problem(at, message, "keep one of the two", "warning")
        return Problem(at, f"moves the same discount as {other}", "keep one of the two", "warning")


def _shared_messages(first: Mapping, second: Mapping) -> Iterator[dict[str, Any]]:
    for way in ways(first.filter, second.filter):
        if contradiction(way) is None:
            for kind in types_of(first.source, way):
                yield {**sample(way), "type": kind}


def _common_name(first: _Writer, second: _Writer, message: dict[str, Any]) -> str | None:
    names = {writer.name_of(message) for writer in (first, second)}
    return names.pop() if len(names) == 1 else None
