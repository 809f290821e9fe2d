"""Test cases beside the mappings: what a payload should become, written down.

A `*.test.yaml` file holds `source` and `cases`; each case has a `name`, a `payload` (the body as the CDP
sends it) or the `file` that holds it, and `expect` (operations, as `plain` shows them) or `quarantined`
(the reasons). Of the file or of a case, `only` names the mappings that run, or files of them (else all do),
and `ignore` parts of operations that are not compared, as in `[event.context]`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from adapter.files import contents, yaml
from adapter.files.folders import visible
from adapter.files.problems import Mark, Problem, did_you_mean
from adapter.mapping.mapping_set import MappingSet
from adapter.model.events import Event, User
from adapter.model.operations import (
    CustomerErase,
    CustomerGroup,
    CustomerMerge,
    CustomerUpsert,
    DiscountMove,
    EventOccurred,
    OrderRedemption,
    OrderRollback,
)
from adapter.model.sources import SOURCES
from adapter.model.times import parse_timestamp

#: When payloads of cases without `received_at` count as received: after every time in a fixture.
RECEIVED_AT = datetime(2030, 1, 1, tzinfo=UTC)
_FILE_KEYS = ("source", "only", "ignore", "cases")
_CASE_KEYS = ("name", "payload", "file", "received_at", "expect", "quarantined", "only", "ignore")
_OPERATIONS = (
    CustomerUpsert,
    EventOccurred,
    CustomerMerge,
    CustomerGroup,
    CustomerErase,
    DiscountMove,
    OrderRedemption,
    OrderRollback,
)
#: What a part of an operation holds; the names in another part are the sender's.
_PARTS: Mapping[str, frozenset[str]] = {
    "": frozenset({"action", *(name for kind in _OPERATIONS for name in kind.__struct_fields__)} - {"verb"}),
    "event": frozenset(Event.__struct_fields__),
    "event.user": frozenset(User.__struct_fields__),
}

#: A text of a file, and its place.
Text = tuple[str, Mark]


class Case(Struct, frozen=True, kw_only=True):
    """One case; `index` is its place in its file, `at` where it starts.

    `only` has the place of each name that it gives.
    """

    name: str
    source: str
    path: Path
    index: int
    at: Mark
    body: bytes
    received_at: datetime
    only: dict[str, Mark]
    ignore: list[str]
    expect: list[Any] | None
    quarantined: list[str]

    @property
    def expects(self) -> bool:
        """Say whether anything is expected of it yet."""
        return self.expect is not None or bool(self.quarantined)


def load(directory: Path) -> tuple[list[Case], list[Problem]]:
    """Read every `*.test.yaml` under a directory that is not hidden."""
    cases: list[Case] = []
    problems: list[Problem] = []
    for path in visible(directory, "**/*.test.yaml", "**/*.test.yml"):
        document, found = yaml.read(path)
        problems += found
        if document is not None:
            reading = _Reading(document, path)
            cases += reading.cases()
            problems += reading.problems
    return cases, list(dict.fromkeys(problems))  # what is said once for the file is found with each case


def unknown_names(book: MappingSet, cases: Sequence[Case]) -> list[Problem]:
    """Return a problem for each name under `only` that no mapping or file of the case's source has."""
    problems: list[Problem] = []
    for case in cases:
        mappings = book.of(case.source)
        known = {name for one in mappings for name in (one.name, one.file)}
        for name in case.only.keys() - known:
            message = f"`{name}` is no mapping of {case.source}, and no file of them"
            problems.append(Problem(case.only[name], message, did_you_mean(name, known)))
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.mark)


class _Reading:
    def __init__(self, document: yaml.Document, path: Path) -> None:
        self.document = document
        self.path = path
        self.problems: list[Problem] = []

    def problem(self, path: yaml.Keys, message: str, remedy: str, *, key: bool = False) -> None:
        self.problems.append(self.document.problem(path, message, remedy, key=key))

    def cases(self) -> list[Case]:
        root = self.document.value
        if not isinstance(root, dict) or not isinstance(root.get("cases"), list):
            self.problem((), "no cases", "write `source:` and a list under `cases:`")
            return []
        self.problems += self.document.unknown_keys((), root, _FILE_KEYS)
        source = root.get("source")
        if not isinstance(source, str) or source not in SOURCES:
            self.problem(("source",), f"`{source}` is no source", did_you_mean(str(source), SOURCES))
            return []
        read = [self.case(index, entry, str(source)) for index, entry in enumerate(root["cases"])]
        return [case for case in read if case is not None]

    def case(self, index: int, entry: Any, source: str) -> Case | None:
        path = ("cases", index)
        before = len(self.problems)
        if not isinstance(entry, dict):
            self.problem(path, "a case is an object", "write `name`, `payload` and `expect`")
            return None
        self.problems += self.document.unknown_keys(path, entry, _CASE_KEYS)
        body = self.body(path, entry)
        name, expect = entry.get("name"), entry.get("expect")
        if not isinstance(name, str) or not name.strip():
            self.problem((*path, "name"), "no `name`", "say in a sentence what should happen")
        if expect is not None and not isinstance(expect, list):
            self.problem((*path, "expect"), "`expect` is not a list", "write the operations as a list")
        received_at = self.received_at(path, entry)
        only, ignore = self.shared(path, entry, "only"), self.shared(path, entry, "ignore")
        reasons = self.texts((*path, "quarantined"), entry, "the reason, or the reasons as a list")
        self.ignored(ignore)
        if body is None or len(self.problems) > before:
            return None
        return Case(
            name=str(name), source=source, path=self.path, index=index, at=self.document.mark(*path),
            body=body, received_at=received_at, only=dict(only), ignore=[part for part, _ in ignore],
            expect=expect, quarantined=[reason for reason, _ in reasons],
        )  # fmt: skip

    def received_at(self, path: yaml.Keys, entry: dict[str, Any]) -> datetime:
        found = parse_timestamp(entry.get("received_at"))
        if found is None and "received_at" in entry:
            message = f"`{_said(entry['received_at'])}` is no time"
            self.problem((*path, "received_at"), message, "write it as `2026-01-15T12:00:00Z`")
        return found or RECEIVED_AT

    def shared(self, path: yaml.Keys, entry: dict[str, Any], key: str) -> list[Text]:
        """Return the texts under a key of the case, else of the file."""
        holder, at = (entry, path) if key in entry else (self.document.value, ())
        wanted = "mappings or files of them" if key == "only" else "parts of operations, as `event.context`"
        return self.texts((*at, key), holder, f"a list of {wanted}")

    def texts(self, path: yaml.Keys, holder: dict[str, Any], wanted: str) -> list[Text]:
        """Return one text or several under the last key of a path, each with its place."""
        key = str(path[-1])
        if key not in holder:
            return []
        value = holder[key]
        items = enumerate(value) if isinstance(value, list) else [("", value)]
        found = []
        for index, item in items:
            at = (*path, index) if isinstance(value, list) else path
            if isinstance(item, str) and item.strip():
                found.append((item, self.document.mark(*at)))
            else:
                self.problem(at, f"`{_said(item)}` under `{key}` is not text", f"write {wanted}")
        return found

    def ignored(self, parts: Sequence[Text]) -> None:
        for part, at in parts:
            holder, unknown = _unknown_part(part)
            if unknown:
                remedy = did_you_mean(unknown, _PARTS[holder])
                self.problems.append(Problem(at, f"no operation has `{part}`", remedy))

    def body(self, path: yaml.Keys, entry: dict[str, Any]) -> bytes | None:
        if ("payload" in entry) == ("file" in entry):
            self.problem(path, "a case has either a `payload` or a `file`", "keep one of the two")
            return None
        if "payload" in entry:
            return msgspec.json.encode(entry["payload"])
        path_of_file = self.path.parent / str(entry["file"])
        try:
            return contents.read(path_of_file)
        except OSError as error:
            remedy = f"name a file, from {self.path.parent} on"
            place = self.document.mark(*path, "file")
            # Only a warning for the check, because a server needs no fixtures.
            message = f"`{path_of_file}` cannot be read: {error.strerror}"
            self.problems.append(Problem(place, message, remedy, "warning"))
            return None


def _unknown_part(path: str) -> tuple[str, str]:
    """Return the first name of a path that its holder does not have, after the holder; blank if all are."""
    holder = ""
    for key in path.split("."):
        if holder in _PARTS and key not in _PARTS[holder]:
            return holder, key
        holder = f"{holder}.{key}" if holder else key
    return "", ""


def _said(value: Any) -> str:
    """Return a value as YAML text."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
