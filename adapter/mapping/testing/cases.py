"""Cases run against the mappings: what each payload became, against what its case expects.

Payloads are decoded by a function handed in, for mappings do not know the sources.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from difflib import unified_diff
from typing import Any

from msgspec import Struct

from adapter.errors import MappingError
from adapter.files.dumping import dump
from adapter.mapping.actions.as_json import plain
from adapter.mapping.mapping_set import MappingSet
from adapter.mapping.testing.case_files import Case
from adapter.model.messages import Message

#: From a source, a body and the time of receipt to its messages, and the reasons of what is none.
Decode = Callable[[str, bytes, datetime], tuple[Sequence[Message], Sequence[str]]]


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
        return self.case.expects and self.outcome == self.expected

    @property
    def expected(self) -> Outcome:
        """What the case says that the payload becomes."""
        return Outcome(self.case.expect or [], self.case.quarantined)

    @property
    def diff(self) -> str:
        """What was expected (`-`) against what came (`+`), as YAML; empty when the case passed."""
        if self.passed:
            return ""
        expected, came = _shown(self.expected), _shown(self.outcome)
        return "\n".join(unified_diff(expected, came, "expected", "came", lineterm="", n=4))


def _shown(outcome: Outcome) -> list[str]:
    lines = dump(outcome.operations).split("\n") if outcome.operations else []
    return lines + [f"quarantined: {reason}" for reason in outcome.quarantined]


def run(book: MappingSet, cases: Sequence[Case], decode: Decode) -> list[Result]:
    """Run cases in order; `decode` may raise what it likes of bad bodies, which counts as quarantined."""
    return [_run(book, case, decode) for case in cases]


def _run(book: MappingSet, case: Case, decode: Decode) -> Result:
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
