"""Test cases beside the mappings: what a payload should become, written down.

A `*.test.yaml` file holds `source` and `cases`; each case has a `name`, a `payload` (the body as the CDP
sends it) or the `file` that holds it, and `expect` (operations, as `plain` shows them) or `quarantined`
(the reasons). Of the file or of a case, `only` names the mappings that run, or files of them (else all do),
and `ignore` parts of operations that are not compared, as in `[event.context]`. Payloads are decoded by a
function handed in, for mappings do not know the sources.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from difflib import unified_diff
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from adapter.errors import MappingError
from adapter.files import contents, yaml
from adapter.files.dumping import dump
from adapter.files.folders import visible
from adapter.files.problems import Mark, Problem, did_you_mean
from adapter.mapping.book import MappingBook
from adapter.mapping.files import SOURCES
from adapter.mapping.plain import plain
from adapter.model.messages import Message
from adapter.model.times import parse_timestamp

#: When payloads of cases without `received_at` count as received: after every time in a fixture.
RECEIVED_AT = datetime(2030, 1, 1, tzinfo=UTC)
_FILE_KEYS = ("source", "only", "ignore", "cases")
_CASE_KEYS = ("name", "payload", "file", "received_at", "expect", "quarantined", "only", "ignore")

#: From a source, a body and the time of receipt to its messages, and the reasons of what is none.
Decode = Callable[[str, bytes, datetime], tuple[Sequence[Message], Sequence[str]]]


class Case(Struct, frozen=True, kw_only=True):
    """One case; `index` is its place in its file, `at` where it starts."""

    name: str
    source: str
    path: Path
    index: int
    at: Mark
    body: bytes
    received_at: datetime
    only: list[str]
    ignore: list[str]
    expect: list[Any] | None
    quarantined: list[str]


class Outcome(Struct, frozen=True):
    """What a payload became: operations as plain values, and why messages were quarantined."""

    operations: list[Any]
    quarantined: list[str]


class Result(Struct, frozen=True):
    """A case that was run; it passed when the outcome is what it expects."""

    case: Case
    outcome: Outcome
    messages: tuple[Message, ...]

    @property
    def passed(self) -> bool:
        """Say whether the outcome is the expected one; a case that expects nothing yet has not passed."""
        case = self.case
        written = case.expect is not None or bool(case.quarantined)
        return written and self.outcome == Outcome(case.expect or [], case.quarantined)

    @property
    def diff(self) -> str:
        """What was expected (`-`) against what came (`+`), as YAML; empty when the case passed."""
        if self.passed:
            return ""
        case = self.case
        expected = _shown(Outcome(case.expect or [], case.quarantined)) if case.expect is not None else []
        lines = unified_diff(expected, _shown(self.outcome), "expected", "came", lineterm="", n=4)
        return "\n".join(lines)


def _shown(outcome: Outcome) -> list[str]:
    lines = dump(outcome.operations).split("\n") if outcome.operations else []
    return lines + [f"quarantined: {reason}" for reason in outcome.quarantined]


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
    return cases, problems


def run(book: MappingBook, cases: Sequence[Case], decode: Decode) -> list[Result]:
    """Run cases in order; `decode` may raise what it likes of bad bodies, which counts as quarantined."""
    return [_run(book, case, decode) for case in cases]


def _run(book: MappingBook, case: Case, decode: Decode) -> Result:
    messages, reasons = decode(case.source, case.body, case.received_at)
    operations: list[Any] = []
    quarantined = list(reasons)
    book = book.narrowed(case.only) if case.only else book
    for message in messages:
        try:
            operations += [_without(plain(operation), case.ignore) for operation in book.operations(message)]
        except MappingError as error:
            quarantined.append(error.message)
    return Result(case, Outcome(operations, quarantined), tuple(messages))


def _without(operation: dict[str, Any], ignored: Sequence[str]) -> dict[str, Any]:
    for path in ignored:
        *outer, last = path.split(".")
        holder: Any = operation
        for key in outer:
            holder = holder.get(key) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder.pop(last, None)
    return operation


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
        if source not in SOURCES:
            self.problem(("source",), f"`{source}` is no source", did_you_mean(str(source), SOURCES))
            return []
        read = [self.case(index, entry, str(source)) for index, entry in enumerate(root["cases"])]
        return [case for case in read if case is not None]

    def case(self, index: int, entry: Any, source: str) -> Case | None:
        path = ("cases", index)
        if not isinstance(entry, dict):
            self.problem(path, "a case is an object", "write `name`, `payload` and `expect`")
            return None
        self.problems += self.document.unknown_keys(path, entry, _CASE_KEYS)
        body = self.body(path, entry)
        name, expect, quarantined = entry.get("name"), entry.get("expect"), self.reasons(path, entry)
        if not isinstance(name, str) or not name.strip():
            self.problem((*path, "name"), "no `name`", "say in a sentence what should happen")
            return None
        if expect is not None and not isinstance(expect, list):
            self.problem((*path, "expect"), "`expect` is not a list", "write the operations as a list")
            return None
        received_at = parse_timestamp(entry.get("received_at")) or RECEIVED_AT
        if body is None:
            return None
        return Case(
            name=name, source=source, path=self.path, index=index, at=self.document.mark(*path), body=body,
            received_at=received_at, only=self.listed(entry, "only"), ignore=self.listed(entry, "ignore"),
            expect=expect, quarantined=quarantined,
        )  # fmt: skip

    def reasons(self, path: yaml.Keys, entry: dict[str, Any]) -> list[str]:
        reasons = entry.get("quarantined", [])
        if not isinstance(reasons, str | list):
            self.problem(
                (*path, "quarantined"), "`quarantined` gives no reason", "write the reason, or a list"
            )
            return []
        return [reasons] if isinstance(reasons, str) else reasons

    def listed(self, entry: dict[str, Any], key: str) -> list[str]:
        """Return a list of the case, else the file's."""
        value = entry.get(key, self.document.value.get(key, []))
        return [str(item) for item in value] if isinstance(value, list) else [str(value)]

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
            self.problems.append(
                Problem(place, f"`{path_of_file}` cannot be read: {error.strerror}", remedy, "warning")
            )
            return None
