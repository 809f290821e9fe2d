"""The options of `adapter import` that say how a file is read."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from adapter.errors import Refused
from adapter.model.imports import ImportOptions
from adapter.model.times import parse_timestamp

HELP = {
    "format": "Found out from the content without it.",
    "encoding": "As in windows-1252; UTF-8, or as the mark at the beginning says, without it.",
    "delimiter": "Found out from the header without it.",
    "quote": 'The quote of cells; " without it.',
    "decimal": "How numbers are written; point without it.",
    "date_format": "As in DD.MM.YYYY; ISO 8601 without it.",
    "zone": "The zone of times without one; UTC without it.",
    "empty": "Whether empty cells keep what is stored, or delete it.",
    "as_of": "The time of the file: what customers did since wins over it.",
    "evaluate": "Let rules decide over the events, as of their time.",
    "include_erased": "Take rows of people who were erased.",
    "pool": "The pool of the codes, as rules name it in `code_pool`.",
    "pool_limit": "The most codes that the pool may have.",
    "money": "Whether amounts of codes are 10.00 or 1000.",
    "currency": "The currency of amounts of codes.",
}


def options_of(
    *,
    columns: Sequence[str] | None = None,
    form: str | None = None,
    as_of: str | None = None,
    **given: object,
) -> ImportOptions:
    """Return the options of an import; raises Refused for one that is wrong."""
    found = {name: value for name, value in given.items() if value is not None}
    if form is not None:
        found["format"] = form
    if columns:
        found["columns"] = dict(_renamed(each) for each in columns)
    if as_of is not None:
        at = parse_timestamp(as_of)
        if at is None:
            raise Refused(f"`{as_of}` is no time: write one as 2024-03-01T23:00:00Z")
        found["as_of"] = at
    if found.get("delimiter") in {"tab", "\\t"}:
        found["delimiter"] = "\t"
    for name in ("delimiter", "quote"):
        if len(str(found.get(name, ""))) > 1:
            raise Refused(f"--{name} is one character")
    try:
        return msgspec.convert(found, ImportOptions)
    except msgspec.ValidationError as error:
        raise Refused(f"an option of the import is wrong: {error}") from None


def _renamed(text: str) -> tuple[str, str]:
    name, separator, target = text.rpartition("=")
    if not separator or not name:
        raise Refused(f"--column {text}: write NAME=TARGET, or NAME= to leave the column out")
    return name, target
