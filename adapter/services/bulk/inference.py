"""Give the rows of a file to what proposes a data model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice

from adapter.bulk.cells import BadCell, CellOptions, boolean, number, plain_number
from adapter.bulk.customers import CustomerRows
from adapter.bulk.entries import BadRow, Reading
from adapter.bulk.events import EventRows
from adapter.mapping.mapping_set import MappingSet
from adapter.model.imports import ImportKind, ImportOptions
from adapter.model.operations import CustomerUpsert, EventOccurred, Operation
from adapter.services.bulk.local import Source
from adapter.services.bulk.reader import opened

#: Rows that are looked at: more rows hardly change the types.
_MOST = 100_000
_OPTIONS = CellOptions()
Take = Callable[[Iterable[Operation]], None]


def infer_rows(take: Take, book: MappingSet, source: Source, kind: ImportKind, now: datetime) -> int:
    """Give what rows become, and return how many are refused; raises InvalidImport.

    Cells of CSV are text, so that those of numbers, booleans and lists are read as such.
    """
    found = opened(source.given(), kind, ImportOptions())
    reading = Reading(now=now, is_placeholder=book.placeholders.__contains__)
    rows = CustomerRows(reading) if kind == "customers" else EventRows(reading)
    if found.header:
        rows.columns.take_header(found.header)
    refused = 0
    for record in islice(found.records, _MOST):
        try:
            if record.flaw:
                raise BadRow(record.flaw)
            take(map(_typed, rows.entry(record).operations))
        except BadRow:
            refused += 1
    return refused


def _typed(operation: Operation) -> Operation:
    """Return an operation of text cells with the values that they say."""
    if isinstance(operation, CustomerUpsert):
        operation.traits.update({name: _value(each) for name, each in operation.traits.items()})
    elif isinstance(operation, EventOccurred):
        values = operation.event.attributes
        values.update({name: _value(each) for name, each in values.items()})
    return operation


def _value(each: object) -> object:
    if not isinstance(each, str):
        return each
    if each in {"true", "false"}:
        return boolean(each, "")
    if each[:1] == "0" and each[1:2].isdigit():
        return each  # a postal code, or another id
    try:
        return plain_number(number(each, _OPTIONS))
    except BadCell:
        return each
