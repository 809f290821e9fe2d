"""Mapping files: read, checked, every problem at once with its place and its remedy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from adapter.errors import MappingError
from adapter.files import starters, yaml
from adapter.files.overrides import overridden
from adapter.files.places import QUOTE_ALL, cut_by_comment, inside
from adapter.files.problems import Mark, Problem, did_you_mean
from adapter.mapping import subscriptions
from adapter.mapping.actions.actions import ACTIONS, Action, Field
from adapter.mapping.actions.field_types import READERS
from adapter.mapping.engine.directive_object import has_directive
from adapter.mapping.engine.interpret import ROOT_DIRECTIVE
from adapter.mapping.files.fields import problems as field_problems
from adapter.model.sources import SOURCES
from adapter.model.spelling import spelling

_FILE_KEYS = ("source", "extends", "disable", "tables", "mappings")
#: Files that are kept, as they were read, for the next reading.
_MOST_READ = 32
_MAPPING_KEYS = ("name", "subscribe", "events", "action", "fields")


class Mapping(Struct, frozen=True, kw_only=True, eq=False):
    """One entry of a mapping file; `filter` is the parsed subscription, and holds `events` too.

    `document` is its file and `path` its place there. `file` is the name of the file that has it, or that
    extends the starter that has it. It is equal to itself alone.
    """

    name: str
    source: str
    subscribe: str
    events: tuple[str, ...] = ()
    filter: Any
    action: str
    fields: dict[str, Any]
    tables: dict[str, dict[str, Any]]
    document: yaml.Document
    path: yaml.Keys
    file: str

    @property
    def at(self) -> Mark:
        """Where the entry starts."""
        return self.document.mark(*self.path)

    def among(self, names: Collection[str]) -> bool:
        """Say whether these names hold the mapping's own, or that of its file."""
        return self.name in names or self.file in names

    def field_mark(self, *keys: str | int) -> Mark:
        """Return the place of the last of these keys below `fields`."""
        return self.document.key_mark(*self.path, "fields", *keys)

    def value_mark(self, *keys: str | int) -> Mark:
        """Return the place of the value under these keys of `fields`."""
        return self.document.mark(*self.path, "fields", *keys)

    def condition_mark(self, condition: subscriptions.Condition) -> Mark:
        """Return the place of a condition of the subscription, or of a name under `events`."""
        if condition.operator == "spelled":
            return self.document.mark(*self.path, "events", condition.position)
        return self.subscription_mark(condition.position)

    def subscription_mark(self, position: int) -> Mark:
        """Return the place of a character of the subscription."""
        start = self.document.mark(*self.path, "subscribe")
        return inside(self.document.text, start, self.subscribe, position)


class MappingFile(Struct, frozen=True):
    """One file: the source it is for, its look-up tables, its mappings in order."""

    path: Path
    source: str
    tables: dict[str, dict[str, Any]]
    mappings: tuple[Mapping, ...]


def load(paths: Sequence[Path]) -> tuple[list[MappingFile], list[Problem]]:
    """Read mapping files; what has an error is left out of the result and listed in the problems."""
    files: list[MappingFile] = []
    problems: list[Problem] = []
    for path in paths:
        text, found = yaml.read_text(path, str(path))
        problems += found
        if text is not None:
            file, found = _read(text, path)
            problems += found
            if file is not None:
                files.append(file)
    problems += _same_names(mapping for file in files for mapping in file.mappings)
    return files, list(dict.fromkeys(problems))  # what is under an anchor is found with each alias


@lru_cache(maxsize=_MOST_READ)
def _read(text: str, path: Path) -> tuple[MappingFile | None, list[Problem]]:
    """Read one file, or return what the same text was read as: a reload reads what has changed."""
    document, problems = yaml.parse(text, str(path))
    if document is None:
        return None, problems
    reading = _Reading(document, path)
    return reading.file(), [*problems, *reading.problems]


def _joined_tables(all_tables: Iterable[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Return the tables joined by name; a later entry replaces one whose key has the same spelling."""
    joined: dict[str, dict[str, Any]] = {}
    for tables in all_tables:
        for name, table in tables.items():
            added = {spelling(key) for key in table}
            kept = {key: value for key, value in joined.get(name, {}).items() if spelling(key) not in added}
            joined[name] = {**kept, **table}
    return joined


def _same_names(mappings: Iterable[Mapping]) -> list[Problem]:
    first: dict[tuple[str, str], Mapping] = {}
    problems = []
    for mapping in mappings:
        known = first.setdefault((mapping.source, mapping.name), mapping)
        if known is not mapping:
            message = f"two mappings of {mapping.source} are called `{mapping.name}`"
            remedy = f"give one another name; the first is at {known.at.file}:{known.at.line}"
            problems.append(Problem(mapping.at, message, remedy))
    return problems


class _Reading:
    def __init__(
        self, document: yaml.Document, path: Path, own_tables: dict[str, dict[str, Any]] | None = None
    ) -> None:
        self.document = document
        self.path = path
        self.own_tables = own_tables or {}
        self.problems: list[Problem] = []

    def problem(self, path: yaml.Keys, message: str, remedy: str, *, key: bool = False) -> None:
        self.problems.append(self.document.problem(path, message, remedy, key=key))

    def file(self) -> MappingFile | None:
        root = self.document.value
        if not isinstance(root, dict):
            self.problem((), "a mapping file is an object", "write `source:` and `mappings:`")
            return None
        self.problems += self.document.unknown_keys((), root, _FILE_KEYS)
        own_tables = self.tables(root.get("tables"))
        bases = self.bases(own_tables)
        source = self.source(root, bases)
        tables = _joined_tables([*(base.tables for base in bases), own_tables, self.own_tables])
        entries = root.get("mappings")
        if entries is None and "extends" in root:
            entries = []
        elif not isinstance(entries, list) or not entries:
            self.problem(("mappings",), "no mappings", "write a list under `mappings:`")
            return None
        read = [self.mapping(index, entry, source or "", tables) for index, entry in enumerate(entries)]
        own = [mapping for mapping in read if mapping is not None]
        left, problems = overridden(self.document, [each for base in bases for each in base.mappings], own)
        self.problems += problems
        return MappingFile(self.path, source, tables, tuple(left)) if source else None

    def bases(self, own_tables: dict[str, dict[str, Any]]) -> list[MappingFile]:
        """Return the starters that the file extends, with the entries that it adds to their tables."""
        documents, problems = starters.extended("mappings", self.document)
        self.problems += problems
        found = []
        for document in documents:
            reading = _Reading(document, self.path, own_tables)
            file = reading.file()
            self.problems += reading.problems
            found += [] if file is None else [file]
        return found

    def source(self, root: dict[str, Any], bases: Sequence[MappingFile]) -> str | None:
        source = root.get("source")
        for base in bases:
            source = base.source if source is None else source
            if source != base.source and source in SOURCES:
                message = f"the file is for {source}, and the starter that it extends for {base.source}"
                self.problem(("source",), message, "write two files, one for each source")
                return None
        if isinstance(source, str) and source in SOURCES:
            return source
        if source is None:
            self.problem((), "no `source`", "write " + " or ".join(f"`source: {name}`" for name in SOURCES))
        else:
            remedy = did_you_mean(str(source), SOURCES)
            self.problem(("source",), f"`{source}` is no source", remedy)
        return None

    def tables(self, tables: Any) -> dict[str, dict[str, Any]]:
        if tables is None:
            return {}
        if not isinstance(tables, dict):
            self.problem(("tables",), "`tables` is an object of tables", "write `name: {key: value}`")
            return {}
        for name, table in tables.items():
            if not isinstance(table, dict):
                self.problem(("tables", name), f"table `{name}` is not an object", "write `key: value` lines")
        return {name: table for name, table in tables.items() if isinstance(table, dict)}

    def mapping(
        self, index: int, entry: Any, source: str, tables: dict[str, dict[str, Any]]
    ) -> Mapping | None:
        path = ("mappings", index)
        before = len(self.problems)
        if not isinstance(entry, dict):
            self.problem(path, "a mapping is an object", "write `name`, `subscribe`, `action` and `fields`")
            return None
        self.problems += self.document.unknown_keys(path, entry, _MAPPING_KEYS)
        name = self.said(path, entry, "name", "say in a few words what it does")
        subscribe = self.said(path, entry, "subscribe", 'write a filter such as `type = "track"`')
        parsed = self.subscription(path, subscribe) if subscribe else None
        events = self.events(path, entry.get("events"))
        if events and parsed is not None:
            parsed = subscriptions.narrowed(parsed, events)
        action = self.action(path, entry)
        fields = self.fields(path, entry, action, tables)
        if len(self.problems) > before or not name or action is None:
            return None
        return Mapping(
            name=name, source=source, subscribe=subscribe or "", events=events, filter=parsed,
            action=action.name, fields=fields, tables=tables, document=self.document, path=path,
            file=self.path.name,
        )  # fmt: skip

    def said(self, path: yaml.Keys, entry: dict[str, Any], key: str, remedy: str) -> str | None:
        value = entry.get(key)
        if isinstance(value, str) and value.strip():
            return value
        message = f"no `{key}`" if key not in entry else f"`{key}` must be text"
        self.problem((*path, key), message, remedy)
        return None

    def events(self, path: yaml.Keys, value: Any) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, list) or not value:
            self.problem((*path, "events"), "`events` is no list of names", "write [Order Completed]")
            return ()
        first: dict[str, str] = {}
        for index, name in enumerate(value):
            if not isinstance(name, str) or not name.strip():
                self.problem((*path, "events", index), "the name of an event is text", "write its name")
            elif (same := first.setdefault(spelling(name), name)) is not name:
                message = f"`{name}` is `{same}` in another spelling"
                self.problem((*path, "events", index), message, "drop it: every spelling of a name counts")
        return tuple(first.values())

    def subscription(self, path: yaml.Keys, subscribe: str) -> Any:
        try:
            return subscriptions.parse(subscribe)
        except subscriptions.SubscriptionError as error:
            start = self.document.mark(*path, "subscribe")
            at = inside(self.document.text, start, subscribe, error.position)
            cut = cut_by_comment(self.document.text, at, subscribe, error.position)
            self.problems.append(Problem(at, error.reason, QUOTE_ALL if cut else error.remedy))
            return None

    def action(self, path: yaml.Keys, entry: dict[str, Any]) -> Action | None:
        name = self.said(path, entry, "action", "known are " + ", ".join(f"`{known}`" for known in ACTIONS))
        if name is not None and name not in ACTIONS:
            self.problem((*path, "action"), f"`{name}` is no action", did_you_mean(name, ACTIONS))
        return ACTIONS.get(name or "")

    def fields(
        self, path: yaml.Keys, entry: dict[str, Any], action: Action | None, tables: dict[str, dict[str, Any]]
    ) -> dict[str, Any]:
        fields = entry.get("fields")
        at = (*path, "fields")
        if not isinstance(fields, dict):
            self.problem(at, "no `fields`" if fields is None else "`fields` must be an object",
                         "write `field: value` lines")  # fmt: skip
            return {}
        for where, message, remedy in field_problems(fields, tables):
            self.problem((*at, *where), message, remedy)
        named = {key: value for key, value in fields.items() if key != ROOT_DIRECTIVE}
        if action is not None and not any(key[:1] == "@" for key in named) and _keeps_fields(fields):
            self.action_fields(at, named, action)
        return fields

    def action_fields(self, at: yaml.Keys, fields: dict[str, Any], action: Action) -> None:
        known = [field.name for field in action.fields]
        for name, value in fields.items():
            field = action.field(name)
            if field is None:
                message = f"`{action.name}` takes no field `{name}`"
                self.problem((*at, name), message, did_you_mean(name, known), key=True)
            else:
                self.literal((*at, name), value, field)
        for name in action.required:
            if is_absent(fields.get(name)):
                meaning = next(field.meaning for field in action.fields if field.name == name)
                message = f"`{action.name}` needs the field `{name}`"
                place = (*at, name) if name in fields else at[:-1]
                self.problem(place, message, f"write `{name}:` - {meaning}")

    def literal(self, at: yaml.Keys, value: Any, field: Field) -> None:
        if field.kind not in READERS or has_directive(value):
            return
        try:
            READERS[field.kind](value, field.name)
        except MappingError as error:
            self.problem(at, error.message, f"it takes {field.meaning}")


def _keeps_fields(fields: dict[str, Any]) -> bool:
    """Say whether what the action sees are the fields as they are named: a root `@transform` keeps them."""
    root = fields.get(ROOT_DIRECTIVE)
    return root is None or (isinstance(root, dict) and "@transform" in root)


def is_absent(value: Any) -> bool:
    """Say whether a value written in the file is as if it were not there: null, or blank text."""
    return value is None or (isinstance(value, str) and not value.strip())
