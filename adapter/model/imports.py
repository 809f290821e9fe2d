"""An import of a file: what was asked for, how far it has come, and what was refused."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

ImportKind = Literal["customers", "events", "codes", "discounts"]
ImportState = Literal["receiving", "waiting", "running", "done", "failed", "cancelled"]
#: States in which nothing happens to an import any more.
ENDED: tuple[ImportState, ...] = ("done", "failed", "cancelled")


class ImportOptions(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How a file is read, and what its rows mean.

    `format` is found out where it is empty. `source` reads the bodies of a source by the mapping files; for
    plain rows it is whose ids they have. `columns` has other names for columns, empty to leave one out.
    `as_of` is the time of the file. `evaluate` lets rules decide over events, as of their time. `pool` takes
    codes, up to `pool_limit`; without it codes are vouchers. `money` is empty where it is not given:
    then amounts are major units.
    """

    format: Literal["", "csv", "jsonl", "parquet"] = ""
    encoding: str = ""
    delimiter: str = ""
    quote: str = '"'
    decimal: Literal["point", "comma"] = "point"
    date_format: str = ""
    zone: str = "UTC"
    empty: Literal["keep", "clear"] = "keep"
    source: str = ""
    columns: dict[str, str] = {}
    as_of: datetime | None = None
    evaluate: bool = False
    include_erased: bool = False
    pool: str = ""
    pool_limit: int = 0
    money: Literal["", "major", "minor"] = ""
    currency: str = ""


class ImportCounts(Struct, frozen=True):
    """What came of the rows that were read. `flagged` violate the data model, and are stored.

    `warnings` are rows that are stored otherwise than they say.
    """

    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    flagged: int = 0
    ignored: int = 0
    warnings: int = 0


#: Warnings that an import keeps.
MOST_WARNINGS = 20


class ImportJob(Struct):
    """An import. `rows_done` are those of which the effect is stored; `size` is that of the file in bytes.

    `format`, `header`, `delimiter` and `encoding` are as they were found, so that refused rows are written
    alike. `fingerprint` tells whether a file is the one that an interrupted import has read. `local` imports
    are run by a command, others by the server; `worker` runs it, or ran it last. `warnings` are the first.
    """

    id: str
    kind: ImportKind
    name: str
    created_at: datetime
    options: ImportOptions = ImportOptions()
    state: ImportState = "waiting"
    size: int = 0
    chunks: int = 0
    header: tuple[str, ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8"
    format: str = ""
    fingerprint: str = ""
    rows_done: int = 0
    bytes_done: int = 0
    counts: ImportCounts = ImportCounts()
    error: str = ""
    updated_at: datetime | None = None
    finished_at: datetime | None = None
    local: bool = False
    worker: str = ""
    warnings: tuple[str, ...] = ()


class RefusedRow(Struct, frozen=True, omit_defaults=True):
    """A row that was not taken, and why. `raw` is the row as it was, empty where it must not be kept."""

    row: int
    line: int
    reason: str
    column: str = ""
    source_id: str = ""
    raw: bytes = b""
    path: str = ""


class ImportStep(Struct, frozen=True):
    """A slice of an import that is saved with its effect: the job after it, and the rows refused in it.

    `worker` must have the lease of the job, which is renewed `until` then. `unerased` are ids of which none
    may have been erased.
    """

    job: ImportJob
    worker: str
    until: datetime
    refused: tuple[RefusedRow, ...] = ()
    unerased: tuple[str, ...] = ()
