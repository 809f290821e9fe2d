"""What a description of a table says: its columns, and what happens to the rows of a customer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from adapter.store.values import RetentionKind

Engine = Literal["sqlite", "postgres"]
Kind = Literal["text", "bytes", "number", "boolean"]
Key = tuple[str, ...]


class Column(Struct, frozen=True):
    """A column that both engines have, and the Python type of its values (boolean: int in SQLite)."""

    name: str
    kind: Kind


def columns(**kinds: Kind) -> tuple[Column, ...]:
    """Return columns by name."""
    return tuple(Column(name, kind) for name, kind in kinds.items())


class Move(Struct, frozen=True):
    """A merge gives the rows to the surviving customer.

    With `keep_existing` a row is deleted if the survivor has one of the same key; without it no two rows of a
    merge can have the same key.
    """

    keep_existing: bool = False


class Combine(Struct, frozen=True):
    """A merge combines the rows by a statement of that name in `queries/merge.sql` or `addresses.sql`.

    `returned` is a column: its values are returned of rows that are deleted because the survivor has them
    too.
    """

    statement: str
    returned: str = ""


class Rewrite(Struct, frozen=True):
    """A merge gives the rows to the survivor, and rewrites each body, which names the customer, in Python."""


class Fold(Struct, frozen=True):
    """The caller of a merge saves one combined record; the rows of the merged customers are deleted."""


class Delete(Struct, frozen=True):
    """An erasure deletes the rows. A receipt counts them as `counted`, if it is given."""

    counted: str = ""


class Anonymise(Struct, frozen=True):
    """An erasure keeps the rows, and sets columns, the customer's key among them, to SQL expressions."""

    values: Mapping[str, str]
    counted: str = ""


class DeletedWith(Struct, frozen=True):
    """A trigger or a foreign key deletes the rows with those of another table, in erasures and in merges."""

    table: str


class Listed(Struct, frozen=True):
    """A member of an export: a list with a value for each row of the customer, in the order of columns.

    `read(row, key, source_id)` returns the value of the selected columns. `key` is the customer's key in the
    store, `source_id` the id by which the customer is known. `collect` makes the list, or something else.
    """

    member: str
    columns: tuple[str, ...]
    order: tuple[str, ...]
    read: Callable[[Sequence[Any], str, str], Any]
    collect: Callable[[Iterable[Any]], Any] = list

    def values(self, rows: Iterable[Any], key: str, source_id: str) -> Any:
        """Return the member of an export for rows of a customer."""
        return self.collect(self.read(row, key, source_id) for row in rows)


class Member(Struct, frozen=True):
    """A member of an export that an engine reads by its own statements, in pages or by other keys."""

    member: str


class NotExported(Struct, frozen=True):
    """The rows are not exported, with the reason."""

    reason: str


class Purge(Struct, frozen=True):
    """Rows are deleted when `column` (microseconds) is old, and `condition` (SQL) holds.

    `number` is the row number in SQLite. In PostgreSQL the oldest are deleted first if `ordered`.
    """

    kind: RetentionKind
    column: str
    condition: str = ""
    number: str = "number"
    ordered: str = ""


class Redact(Struct, frozen=True):
    """The columns from which the addresses and ids of other, erased people are removed.

    `key` tells the rows of one customer apart, in the order of an index; `sqlite_key` is that of SQLite.
    """

    columns: tuple[str, ...]
    key: Key
    sqlite_key: Key = ()


class CustomerRows(Struct, frozen=True, kw_only=True):
    """What happens to the rows of one customer, which have the customer's key in `column`.

    If `shared`, rows with an empty key belong to no customer: no merge and no erasure touches them. `weighed`
    rows count when a merge decides whose rows are moved. Without `purge` the rows are kept until the erasure,
    or until `kept` says.
    """

    column: str = "source_id"
    merge: Move | Combine | Rewrite | Fold
    erase: Delete | Anonymise | DeletedWith
    export: Listed | Member | NotExported
    purge: Purge | None = None
    kept: str = "until the customer is erased"
    redact: Redact | None = None
    shared: bool = False
    weighed: bool = True


class IndirectRows(Struct, frozen=True, kw_only=True):
    """Rows about customers that are found otherwise than by a customer's key: by names, digests or a parent.

    No merge touches them. `erase` says how an erasure finds them, and what stays.
    """

    erase: str
    export: Member | NotExported
    purge: Purge | None = None
    kept: str = ""


class NoCustomerData(Struct, frozen=True):
    """The table has nothing about customers: what it has instead."""

    content: str


class Table(Struct, frozen=True, kw_only=True):
    """A table of the store. `key` is the order in which a copy reads it; `sqlite_key` that of SQLite.

    A table of one engine only is an index of another one, and is not copied.
    """

    name: str
    columns: tuple[Column, ...]
    key: Key
    rows: CustomerRows | IndirectRows | NoCustomerData
    sqlite_key: Key = ()
    engine: Engine | None = None

    def index(self, name: str) -> int:
        """Return the position of a column in a row."""
        return next(at for at, column in enumerate(self.columns) if column.name == name)

    def key_in(self, engine: Engine) -> Key:
        """Return the key by which an engine reads the table."""
        return self.sqlite_key if engine == "sqlite" and self.sqlite_key else self.key
