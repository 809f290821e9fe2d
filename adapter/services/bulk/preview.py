"""What an import would do: how columns are read, what the first rows become, and what would be refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from msgspec import Struct

from adapter.bulk.cells import is_ambiguous
from adapter.bulk.records import Record, Truncated
from adapter.model.encoding import encode
from adapter.model.imports import ImportCounts, ImportJob, RefusedRow
from adapter.services.bulk.amounts import amount_of
from adapter.services.bulk.reader import Input, opened
from adapter.services.bulk.rows import RowTaker, Taken, cell_options
from adapter.services.bulk.takers import Taker, taker_of
from adapter.services.bulk.voucher_rows import VoucherTaker
from adapter.services.loaded_files import LoadedFiles
from adapter.store.contract import Store

#: Rows that are shown, and refused rows.
_SHOWN = 5
_TIMES = frozenset(("occurred_at", "updated_at", "issued_at", "expires_at", "starts_at", "moved_at"))


class Shown(Struct, frozen=True):
    """A row, and what it becomes."""

    row: int
    becomes: list[Any]


class Preview(Struct, omit_defaults=True):
    """What an import would do. `columns` are pairs of a name and where it goes; `notes` are for people."""

    name: str
    format: str = ""
    columns: list[tuple[str, str]] = []
    rows: list[Shown] = []
    refused: list[RefusedRow] = []
    counts: ImportCounts = ImportCounts()
    notes: list[str] = []
    error: str = ""


def preview(job: ImportJob, given: Input, files: LoadedFiles, store: Store) -> Preview:
    """Read a whole file, and return what its import would do; nothing is stored.

    Raises Refused where the file would be refused as a whole.
    """
    source = opened(given, job.kind, job.options)
    found = Preview(job.name, source.format)
    taker = taker_of(job, files, store)
    if source.header:
        taker.columns.take_header(source.header)
        found.columns = taker.columns.described()
    counts: Counter[str] = Counter()
    notes = _Notes(job, taker)
    amounts: list[str] = []
    try:
        for record in source.records:
            taken = taker.take(record)
            _count(counts, taken)
            notes.take(record)
            if isinstance(taker, VoucherTaker) and taken.works and len(amounts) < _SHOWN:
                amounts += amount_of(taker, record)
            if taken.works and len(found.rows) < _SHOWN:
                found.rows.append(Shown(record.row, _becomes(taken, taker, record)))
            found.refused += [msgspec.structs.replace(row, raw=b"") for row in taken.refused][
                : max(0, 20 - len(found.refused))
            ]
            if record.fatal:
                found.error = f"row {record.row}: {record.flaw}; rows after it cannot be read"
    except Truncated as error:
        found.error = error.message
    found.counts = ImportCounts(**counts)
    found.notes = notes.sentences()
    if amounts:
        other = "minor" if job.options.money != "minor" else "major"
        found.notes += [*amounts, f"say --money {other} if that is not what the amounts mean"]
    return found


def _count(counts: Counter[str], taken: Taken) -> None:
    counts["rows"] += 1
    counts["accepted"] += bool(taken.works)
    counts["refused"] += len(taken.refused)
    counts["ignored"] += taken.ignored
    counts["flagged"] += taken.flagged


def _becomes(taken: Taken, taker: Any, record: Record) -> list[Any]:
    if not isinstance(taker, RowTaker):
        return [msgspec.json.decode(encode(taker.shown(record)))]
    found = [msgspec.json.decode(encode(operation)) for work in taken.works for operation in work.operations]
    return [msgspec.json.decode(encode(taken.stored))] if taken.stored is not None else found


class _Notes:
    """Collects remarks on the cells of a CSV file."""

    def __init__(self, job: ImportJob, taker: Taker) -> None:
        self._job = job
        self._cells = cell_options(job.options)
        self._columns = taker.columns.columns
        self._empty: set[str] = set()
        self._listed: set[str] = set()
        self._zoneless: set[str] = set()
        self._ambiguous: list[str] = []
        self._pool_only = job.kind == "codes" and bool(job.options.pool)

    def take(self, record: Record) -> None:
        """Look at a row."""
        cells = record.value
        if not isinstance(cells, list) or record.flaw:
            return
        for column in self._columns:
            cell = cells[column.place]
            if not cell:
                self._empty.add(column.name)
            elif column.target.root in _TIMES:
                self._take_time(column.name, cell, record)
            elif column.declared is None and "," in cell and column.target.root in {"traits", "attributes"}:
                self._listed.add(column.name)

    def _take_time(self, name: str, cell: str, record: Record) -> None:
        if not cell.rstrip().endswith(("Z", "z")) and "+" not in cell:
            self._zoneless.add(name)
        if is_ambiguous(cell, self._cells) and len(self._ambiguous) < _SHOWN:
            self._ambiguous.append(
                f"row {record.row}: {name} {cell} occurs twice in {self._cells.zone}; the first is taken"
            )

    def sentences(self) -> list[str]:
        """Return the remarks."""
        found = []
        if self._empty and self._job.kind == "customers":
            what = f"{len(self._empty)} columns have empty cells ({', '.join(sorted(self._empty)[:5])})"
            clear = self._cells.clear_empty
            found.append(f"{what}: " + ("what is stored is deleted" if clear
                                        else "left as stored (say --empty clear to delete)"))  # fmt: skip
        if self._listed:
            names = ", ".join(sorted(self._listed)[:5])
            found.append(
                f"{names}: text with commas stays text; declare a list in the data model to split it"
            )
        if self._zoneless:
            names = ", ".join(sorted(self._zoneless)[:5])
            found.append(f"{names}: times without zone were read in {self._cells.zone}")
        if self._pool_only:
            others = [column.name for column in self._columns if column.target.root != "code"]
            if others:
                found.append(
                    f"{', '.join(others[:5])}: checked, and not stored: what codes of a pool are worth, "
                    "and for how long, says the rule that hands them out"
                )
        return [*found, *self._ambiguous]
