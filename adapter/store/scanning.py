"""A pass over all customers' data in slices, each one statement of one table over a range of customers.

A concurrent merge may move rows of a customer who is still to be read to one who has been read. It leaves a
redirect from the first to the second. So a range returns the redirects to its customers before their rows,
and the redirects from its customers after their rows. If a redirect from a customer was not returned when
its target was read, the target must be read again (`Spot.only`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from adapter.model.customers import SOURCE_ID
from adapter.store.tables.description import Engine
from adapter.store.tables.redaction_sql import Redaction

#: Customers of a range.
CUSTOMERS = 200
#: The most rows of a slice. It also ends with the row that reaches so many bytes.
SCANNED_ROWS = 500
SCANNED_BYTES = 1_000_000
_RANGE, _JOINED, _CUSTOMERS, _REDIRECTS = "", "joined", "customers", "redirects"
#: (key of a merged customer, key of its target).
Redirect = tuple[str, str]
#: Returns what it found in a row, by its table and its values, those of its key among them.
Looks = Callable[[str, Sequence[Any]], set[str]]


class Spot(Struct, frozen=True):
    """The position of a pass: in a table, after a key, in the range of customers from `first` to `last`.

    `first` belongs to the range if `including`. Without `last` the range has no end.
    """

    first: str = ""
    last: str | None = None
    including: bool = True
    single: bool = False
    table: str = _RANGE
    key: tuple[Any, ...] = ()

    @classmethod
    def only(cls, owner: str) -> Spot:
        """Return the first position of a pass over one customer's data."""
        return cls(owner, owner, single=True, table=_JOINED)


class Slice(Struct):
    """The result of a slice: what was found, by customer, and redirects to and from its range.

    `rows` is the number of rows of data, `spot` the next position.
    """

    rows: int
    owners: dict[str, set[str]]
    joined: list[Redirect]
    redirects: list[Redirect]
    spot: Spot | None


class Query(Struct, frozen=True):
    """The statement of a slice: its first `width` columns are the place of a row; `then` the next table."""

    sql: str
    values: tuple[Any, ...]
    width: int
    then: str


class _Read(Struct, frozen=True):
    """The columns that a slice reads: the place of a row, which begins with the owner, and the data."""

    table: str
    place: tuple[str, ...]
    columns: tuple[str, ...] = ()
    limit: str = f"LIMIT {SCANNED_ROWS}"


def query(spot: Spot, redactions: Mapping[str, Redaction], engine: Engine) -> Query:
    """Return the statement of a slice."""
    mark = "?" if engine == "sqlite" else "$"
    read = _read(spot.table, redactions)
    values: list[Any] = list(spot.key or (spot.first,))
    marks = [f"{mark}{at}" for at in range(1, len(values) + 1)]
    if spot.key:
        where = f"({', '.join(read.place)}) > ({', '.join(marks)})"
    else:
        where = f"{read.place[0]} {'>=' if spot.including else '>'} {marks[0]}"
    if spot.last is not None:
        values.append(spot.last)
        where += f" AND {read.place[0]} <= {mark}{len(values)}"
    if spot.table == _REDIRECTS:
        where += f" AND kind = '{SOURCE_ID}'"
    measured = engine == "postgres" and (spot.table == _CUSTOMERS or spot.table in redactions)
    order = [_RANGE, _JOINED, _CUSTOMERS, *redactions, _REDIRECTS, ""]
    then = order[order.index(spot.table) + 1]
    return Query((_sized if measured else _select)(read, where), tuple(values), len(read.place), then)


def _read(table: str, redactions: Mapping[str, Redaction]) -> _Read:
    if table == _RANGE:
        return _Read("customers", ("source_id",), limit=f"LIMIT 1 OFFSET {CUSTOMERS - 1}")
    if table == _JOINED:
        return _Read("identities", ("source_id", "kind", "value"))
    if table == _CUSTOMERS:
        return _Read("customers", ("source_id",), ("body", "history"))
    if table == _REDIRECTS:
        return _Read("identities", ("value", "kind"), ("source_id",))
    redaction = redactions[table]
    return _Read(table, (redaction.owner, *redaction.key), redaction.columns)


def _select(read: _Read, where: str) -> str:
    names, order = ", ".join(read.place + read.columns), ", ".join(read.place)
    return f"SELECT {names} FROM {read.table} WHERE {where} ORDER BY {order} {read.limit}"  # noqa: S608 - names are ours


def _sized(read: _Read, where: str) -> str:
    """Return the query of rows until they have SCANNED_BYTES, the row that reaches them included."""
    names, order = ", ".join(read.place + read.columns), ", ".join(read.place)
    size = " + ".join(f"coalesce(octet_length({column}), 0)" for column in read.columns)
    before = f"sum({size}) OVER (ORDER BY {order} ROWS UNBOUNDED PRECEDING) - ({size}) AS before"
    return (
        f"SELECT {names} FROM (SELECT page.*, {before} FROM ({_select(read, where)}) AS page) AS sized"  # noqa: S608 - names are ours
        f" WHERE before < {SCANNED_BYTES} ORDER BY {order}"
    )


def bounded(rows: Iterable[Sequence[Any]]) -> tuple[list[Sequence[Any]], bool]:
    """Return rows until they have SCANNED_BYTES or SCANNED_ROWS, and whether more may follow."""
    kept: list[Sequence[Any]] = []
    size = 0
    for row in rows:
        kept.append(row)
        size += sum(len(value) for value in row if isinstance(value, bytes | str))
        if size >= SCANNED_BYTES or len(kept) == SCANNED_ROWS:
            return kept, True
    return kept, False


def scanned(spot: Spot, asked: Query, rows: Iterable[Sequence[Any]], looks: Looks) -> Slice:
    """Return the result of a slice, from the rows of its statement."""
    kept, more = bounded(rows)
    if spot.table == _RANGE:
        last = kept[0][0] if kept else None
        return Slice(0, {}, [], [], Spot(spot.first, last, spot.including, table=_JOINED))
    key = tuple(kept[-1][: asked.width]) if more else ()
    found = Slice(0, {}, [], [], _next(spot, asked.then, key))
    if spot.table == _JOINED:
        # The other kinds are read too, because the index by customer contains them.
        found.joined = [(value, owner) for owner, kind, value in kept if kind == SOURCE_ID]
    elif spot.table == _REDIRECTS:
        found.redirects = [(value, owner) for value, _, owner in kept]
    else:
        found.rows = len(kept)
        for row in kept:
            if names := looks(spot.table, row[1:]):
                found.owners.setdefault(row[0], set()).update(names)
    return found


def _next(spot: Spot, then: str, key: tuple[Any, ...]) -> Spot | None:
    """Return the position after a key; without a key, the start of the next table."""
    if key or then:
        table = spot.table if key else then
        return Spot(spot.first, spot.last, spot.including, spot.single, table, key)
    return None if spot.single or spot.last is None else Spot(spot.last, including=False)
