"""All mappings of a directory, compiled: what a message yields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from adapter.datamodel import load as reading
from adapter.datamodel.coerce import coercer
from adapter.datamodel.declarations import DataModel
from adapter.datamodel.load import is_model
from adapter.errors import MappingError
from adapter.files.folders import nothing_in, visible
from adapter.files.problems import Mark, Problem
from adapter.mapping import tracing
from adapter.mapping.actions.builders import Builder, builder
from adapter.mapping.compiler import compile as compile_mapping
from adapter.mapping.engine.errors import FieldMissing
from adapter.mapping.event_names import names_given
from adapter.mapping.files.mapping_file import Mapping, MappingFile
from adapter.mapping.files.mapping_file import load as load_files
from adapter.mapping.lint import lint, lint_model
from adapter.mapping.placeholders import Placeholders
from adapter.mapping.subscriptions import SubscriptionIndex
from adapter.model.messages import Message
from adapter.model.operations import EventOccurred, Operation

Resolve = Callable[[Operation, str], Operation]
_TEST_SUFFIXES = (".test.yaml", ".test.yml")
#: Compiled mappings that are kept for the next reading of files.
_MOST_COMPILED = 1000


class _Compiled(Struct):
    mapping: Mapping
    transform: Callable[[dict[str, Any]], Any]
    build: Builder


class _Route(Struct):
    candidates: Callable[[dict[str, Any]], Sequence[int]]
    compiled: list[_Compiled]


class MappingSet:
    """The mappings of every source; immutable, so that a reload swaps one book for another.

    `digest` identifies what the files say, wherever they are; `sources` are those with mappings. `names`
    says under which names events count that were stored under others.
    What the mappings yield is fitted to the data `model`, where the shop has one.
    """

    def __init__(
        self,
        files: Sequence[MappingFile],
        model: DataModel | None = None,
        placeholders: Placeholders | None = None,
        compiled: Callable[[Mapping], _Compiled] | None = None,
    ) -> None:
        self._files = files
        self.placeholders = placeholders or Placeholders()
        self.model = model
        self.fit = None if model is None else coercer(model)
        self.mappings: tuple[Mapping, ...] = tuple(mapping for file in files for mapping in file.mappings)
        self.sources = tuple(sorted({file.source for file in files}))
        self.digest = _digest(self.mappings, model)
        make = compiled or _compiled
        self.names = names_given(self.mappings, model)
        self._routes = {source: _route([make(each) for each in self.of(source)]) for source in self.sources}

    def of(self, source: str) -> list[Mapping]:
        """Return the mappings of one source, in the order in which they apply."""
        return [mapping for mapping in self.mappings if mapping.source == source]

    def narrowed(self, names: Collection[str]) -> MappingSet:
        """Return a book of the mappings of these names, or in files of these names, alone.

        It shares their compiled form, so that a narrowed book costs no compilation.
        """
        files = [
            replace(file, mappings=tuple(each for each in file.mappings if each.among(names)))
            for file in self._files
        ]
        return MappingSet(files, self.model, self.placeholders, self._compiled_before())

    def apart(self) -> MappingSet:
        """Return a book of the same mappings for explanations: live traffic does not count what it meets."""
        return MappingSet(self._files, self.model, self.placeholders.apart(), self._compiled_before())

    def _compiled_before(self) -> Callable[[Mapping], _Compiled]:
        made = {id(entry.mapping): entry for route in self._routes.values() for entry in route.compiled}
        return lambda mapping: made[id(mapping)]

    def operations(self, message: Message) -> tuple[Operation, ...]:
        """Return what the message's mappings yield, in their order; empty when none takes it.

        Raises MappingError, with the mapping and the field in one sentence, when one cannot be mapped, or
        when the data model says that what it yields is to be quarantined.
        """
        fit = self.fit
        mapped = self.mapped(message)
        return mapped if fit is None else tuple([fit(operation) for operation in mapped])

    def mapped(self, message: Message) -> tuple[Operation, ...]:
        """Return what the mappings alone yield, before the data model looks at it; raises MappingError."""
        placeholders = self.placeholders
        first: MappingError | None = None
        try:
            found = self._yielded(message)
        except MappingError as error:
            if not placeholders.unusable(message):
                raise
            first = error  # says better what is wrong than that an id is missing
        else:
            if not placeholders.stand_in(found):
                return found
        try:
            return self._yielded(placeholders.left_out(message), placeholders.resolved)
        except MappingError as error:
            if first is not None:
                raise first from None
            said = "; placeholder values were left out of it: see `identities.placeholders`"
            raise MappingError(f"{error.message}{said}") from error

    def as_mapped(self, message: Message) -> Message:
        """Return a message as its mappings see it: without placeholder values."""
        left_out = self.placeholders.left_out
        try:
            return left_out(message) if self.placeholders.stand_in(self._yielded(message)) else message
        except MappingError:
            if not self.placeholders.unusable(message):
                return message
        left = left_out(message)
        try:
            self._yielded(left, self.placeholders.resolved)
        except MappingError:
            return message
        return left

    def _yielded(self, message: Message, resolve: Resolve | None = None) -> tuple[Operation, ...]:
        route = self._routes.get(message.source)
        if route is None:
            return ()
        document = message.document
        compiled = route.compiled
        out: list[Operation] = []
        for index in route.candidates(document):
            entry = compiled[index]
            try:
                built = len(out)
                entry.build(entry.transform(document) or {}, message, out)
                if resolve is not None:
                    out[built:] = [resolve(operation, message.source) for operation in out[built:]]
            except MappingError as error:
                why = _reason(entry, document, error)
                raise MappingError(f"mapping `{entry.mapping.name}`: {why}") from error
        return tuple(out) if len(out) < 2 else _told_apart(out)


def load(
    directory: Path,
    placeholders: Placeholders | None = None,
    declared: tuple[DataModel | None, Sequence[Problem]] | None = None,
    drafts: Sequence[Path] = (),
) -> tuple[MappingSet | None, list[Problem]]:
    """Read all mapping files under a directory; the book is None when any of them has an error.

    `declared` is the directory's data model with its problems, where it has been read already. `drafts` are
    files beside the directory: each takes the place of the file of its name directly in it.
    """
    if not directory.is_dir():
        remedy = "name the directory that holds the mapping files"
        message = f"there is no such directory: `{directory.absolute()}`"
        return None, [Problem(Mark(str(directory), 1, 1), message, remedy)]
    paths = _with_drafts(directory, drafts)
    files, problems = load_files(paths)
    if not paths:
        problems.append(
            nothing_in(directory, "no mapping file in this folder: every message will be ignored")
        )
    model, found = reading.load(directory) if declared is None else declared
    problems += [*found, *lint.findings(files)]
    if model is not None:
        problems += lint_model.findings(files, model)
    broken = any(problem.severity == "error" for problem in problems)
    loaded = None if broken else MappingSet(files, model, placeholders)
    return loaded, sorted(problems, key=lambda problem: problem.mark)


def _with_drafts(directory: Path, drafts: Sequence[Path]) -> list[Path]:
    """Return the mapping files, each draft in the order of the place where it would be."""
    places = {directory / draft.name: draft for draft in drafts}
    places = {path: path for path in mapping_files(directory)} | places
    return [places[path] for path in sorted(places, key=_order)]


def portability(directory: Path) -> list[Problem]:
    """Return a warning for each place of a directory's mappings that Segment would not understand."""
    files, _ = load_files(mapping_files(directory))
    return sorted(lint.portability(files), key=lambda problem: problem.mark)


def mapping_files(directory: Path) -> list[Path]:
    """Return the directory's mapping files; test cases, the data model and what is hidden are left out.

    They are in the order of their paths without suffix: `segment-shop.yaml` comes after `segment.yaml`,
    so that what it says of a customer wins.
    """
    found = visible(directory, "**/*.yaml", "**/*.yml")
    kept = [path for path in found if not is_model(path) and not path.name.endswith(_TEST_SUFFIXES)]
    return sorted(kept, key=_order)


def _order(path: Path) -> tuple[tuple[str, ...], str]:
    return path.with_suffix("").parts, path.suffix


def _route(compiled: list[_Compiled]) -> _Route:
    index = SubscriptionIndex([entry.mapping.filter for entry in compiled])
    return _Route(index.candidates, compiled)


def _compiled(mapping: Mapping) -> _Compiled:
    transform = _transform(_Source(mapping.fields, mapping.tables))
    return _Compiled(mapping, transform, builder(mapping.action, mapping.fields))


class _Source:
    """What a mapping is compiled from; equal to another with the same text."""

    def __init__(self, fields: dict[str, Any], tables: dict[str, dict[str, Any]]) -> None:
        self.fields = fields
        self.tables = tables
        self._text = repr((fields, tables))  # tells 1, 1.0, true and "1" apart, and the order of members

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Source) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@lru_cache(maxsize=_MOST_COMPILED)
def _transform(source: _Source) -> Callable[[dict[str, Any]], Any]:
    """Compile a mapping, or return what an equal one was compiled to: a reload compiles what has changed."""
    return compile_mapping(source.fields, tables=source.tables)


def _reason(entry: _Compiled, document: dict[str, Any], error: MappingError) -> str:
    """Return the error's message; where it is of the transformation, behind the field that failed."""
    try:
        entry.transform(document)
    except MappingError:
        return tracing.reason(entry.mapping, document, error)
    if isinstance(error, FieldMissing):
        return tracing.named(tracing.Tracing(entry.mapping, document), error)
    return error.message  # of the action's field, which it names


def _digest(mappings: Iterable[Mapping], model: DataModel | None) -> str:
    said: list[Any] = [
        (entry.source, entry.name, entry.subscribe, entry.events, entry.action, entry.fields, entry.tables)
        for entry in mappings
    ]
    if model is not None:
        said.append(replace(model, file=""))
    return sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()


def _told_apart(operations: list[Operation]) -> tuple[Operation, ...]:
    """Give every event of one message an id of its own: the first keeps the message's."""
    events = [operation.event for operation in operations if isinstance(operation, EventOccurred)]
    if len(events) < 2:
        return tuple(operations)
    seen: Counter[str] = Counter()
    return tuple(
        _numbered(operation, seen) if isinstance(operation, EventOccurred) else operation
        for operation in operations
    )


def _numbered(operation: EventOccurred, seen: Counter[str]) -> EventOccurred:
    event = operation.event
    seen[event.id] += 1
    if seen[event.id] == 1:
        return operation
    renamed = replace(event, id=f"{event.id}:{seen[event.id]}")
    return replace(operation, event=renamed)
