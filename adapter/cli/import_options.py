"""The options of `adapter import`, and what they say of how a file is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from adapter.cli.source_option import source_option
from adapter.errors import Refused
from adapter.model.imports import ImportOptions
from adapter.model.times import parse_timestamp

Text = str | None
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would become of the rows.")]
Source = Annotated[Text, source_option("The lines are bodies of this source, or the ids are its.")]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", metavar="FILE", help="Map bodies by this mapping file alone.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="NAME=TARGET", help="Read a column as another; NAME= leaves it out."),
]
Format = Annotated[
    Text,
    typer.Option("--format", metavar="csv|jsonl|parquet", help="Found out from the content without it."),
]
Encoding = Annotated[
    Text,
    typer.Option(
        "--encoding",
        metavar="NAME",
        help="As in windows-1252; UTF-8, or as the mark at the beginning says, without it.",
    ),
]
Delimiter = Annotated[
    Text, typer.Option("--delimiter", metavar="CHAR", help="Found out from the header without it.")
]
Quote = Annotated[Text, typer.Option("--quote", metavar="CHAR", help='The quote of cells; " without it.')]
Decimal = Annotated[
    Text,
    typer.Option("--decimal", metavar="point|comma", help="How numbers are written; point without it."),
]
DateFormat = Annotated[
    Text,
    typer.Option("--date-format", metavar="FORM", help="As in DD.MM.YYYY; ISO 8601 without it."),
]
Zone = Annotated[
    Text, typer.Option("--zone", metavar="ZONE", help="The zone of times without one; UTC without it.")
]
Empty = Annotated[
    Text,
    typer.Option(
        "--empty", metavar="keep|clear", help="Whether empty cells keep what is stored, or delete it."
    ),
]
AsOf = Annotated[
    Text,
    typer.Option(
        "--as-of", metavar="TIME", help="The time of the file: what customers did since wins over it."
    ),
]
Evaluate = Annotated[
    bool, typer.Option("--evaluate", help="Let rules decide over the events, as of their time.")
]
IncludeErased = Annotated[bool, typer.Option("--include-erased", help="Take rows of people who were erased.")]
Pool = Annotated[
    Text,
    typer.Option("--pool", metavar="POOL", help="The pool of the codes, as rules name it in `code_pool`."),
]
PoolLimit = Annotated[
    int, typer.Option("--pool-limit", metavar="N", min=0, help="The most codes that the pool may have.")
]
Money = Annotated[
    Text,
    typer.Option("--money", metavar="major|minor", help="Whether amounts of codes are 10.00 or 1000."),
]
Currency = Annotated[
    Text, typer.Option("--currency", metavar="CODE", help="The currency of amounts of codes.")
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Do not ask whether amounts of codes are read as they are meant.")
]
Restart = Annotated[bool, typer.Option("--restart", help="Begin anew where an import was interrupted.")]
RefusedFile = Annotated[
    Path | None, typer.Option("--refused", metavar="FILE", help="The file for refused rows.")
]


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
