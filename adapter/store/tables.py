"""The tables that both engines have, as a copy between them sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

#: A page of a table ends with the row by which its bytes are so many.
PAGE_BYTES = 8_000_000
Kind = Literal["text", "bytes", "number", "boolean"]
Row = tuple[Any, ...]


class Column(Struct, frozen=True):
    """A column both engines have, and what a value of it is in Python (boolean: int in SQLite)."""

    name: str
    kind: Kind


class Table(Struct, frozen=True):
    """A table both engines have."""

    name: str
    columns: tuple[Column, ...]

    def index(self, name: str) -> int:
        """Return where a column stands in a row."""
        return next(at for at, column in enumerate(self.columns) if column.name == name)


def _table(name: str, /, **kinds: Kind) -> Table:
    return Table(name, tuple(Column(column, kind) for column, kind in kinds.items()))


TABLES = (
    _table("messages", digest="bytes", seen_at="number", answer="bytes", owner="text"),
    _table("customers", source_id="text", body="bytes", history="bytes"),
    _table("identities", kind="text", value="text", source_id="text"),
    _table("events", source_id="text", occurred_at="number", event_id="text", identity="bytes", body="bytes"),
    _table("decisions", number="number", source_id="text", decided_at="number", body="bytes"),
    _table(
        "discounts",
        number="number",
        code="text",
        source_id="text",
        event_id="text",
        issued_at="number",
        expires_at="number",
        open="boolean",
        body="bytes",
    ),
    _table("counters", scope="text", key="text", used="number"),
    _table(
        "deliveries",
        number="number",
        id="text",
        destination="text",
        source_id="text",
        type="text",
        body="bytes",
        created_at="number",
        due_at="number",
        visible_at="number",
        attempt="number",
        status="text",
        not_after="number",
        last_error="text",
        rendered_by="text",
        rendered="bytes",
    ),
    _table("timers", source_id="text", rule="text", started_at="number", due_at="number", body="bytes"),
    _table(
        "quarantine",
        id="number",
        source="text",
        key="text",
        document="bytes",
        reason="text",
        received_at="number",
        replayed="boolean",
        whole="bytes",
        size="number",
    ),
    _table("quarantine_names", name="bytes", id="number"),
    _table("addresses", digest="bytes", source_id="text"),
    _table("address_progress", name="text", reached="text"),
    _table("unaddressed", source_id="text"),
    _table("erasures", number="number", names="bytes", customers="bytes", erased_at="number", upto="number"),
    _table(
        "ignored",
        source="text",
        type="text",
        event="text",
        count="number",
        first_at="number",
        last_at="number",
    ),
    _table(
        "pending_moves",
        source_id="text",
        id="text",
        code="text",
        received_at="number",
        open="boolean",
        body="bytes",
    ),
    _table(
        "redemptions",
        source_id="text",
        id="text",
        order_id="text",
        state="text",
        at="number",
        until="number",
        revision="number",
        body="bytes",
    ),
    _table(
        "redemption_uses",
        source_id="text",
        redemption="text",
        rank="number",
        code="text",
        rule="text",
        currency="text",
        amount="number",
        returned="number",
        state="text",
        at="number",
    ),
    _table("order_codes", order_id="text", code="text", source_id="text", redemption="text"),
    _table(
        "rollbacks",
        source_id="text",
        redemption="text",
        rank="number",
        id="text",
        at="number",
        body="bytes",
    ),
    _table(
        "pool_codes",
        number="number",
        pool="text",
        code="text",
        folded="text",
        added_at="number",
        drawn_at="number",
    ),
    _table("pauses", destination="text", since="number", until="number", reason="text"),
    _table(
        "receipts",
        number="number",
        customer="bytes",
        erased_at="number",
        origin="text",
        request="text",
        removed="bytes",
    ),
)


#: Where else than in their record a customer's data may hold any text: the column that says whose a row is,
#: and the columns that hold the text.
REWRITTEN: dict[str, tuple[str, tuple[str, ...]]] = {
    "events": ("source_id", ("body",)),
    "decisions": ("source_id", ("body",)),
    "discounts": ("source_id", ("event_id", "body")),
    "deliveries": ("source_id", ("body", "rendered", "last_error")),
    "timers": ("source_id", ("body",)),
    "pending_moves": ("source_id", ("body",)),
    "redemptions": ("source_id", ("order_id", "body")),
    "rollbacks": ("source_id", ("body",)),
    "messages": ("owner", ("answer",)),
}


#: So many rows of a table are rewritten in one transaction.
ROWS = 500


def rows_sql(table: str, key: tuple[str, ...], placeholder: str, *, first: bool) -> str:
    """Return the SELECT of a page of one owner's rows to be rewritten, behind a key of theirs."""
    owner, columns = REWRITTEN[table]
    after = f" AND ({', '.join(key)}) > ({_marks(placeholder, 2, len(key))})"
    return (
        f"SELECT {', '.join((*key, *columns))} FROM {table} WHERE {owner} = {placeholder}1"  # noqa: S608 - names are ours
        f"{'' if first else after} ORDER BY {', '.join(key)} LIMIT {ROWS}"
    )


def update_sql(table: str, key: tuple[str, ...], placeholder: str) -> str:
    """Return the UPDATE of one row: the columns' values come first, then its owner and key."""
    owner, columns = REWRITTEN[table]
    changes = ", ".join(f"{column} = {placeholder}{at}" for at, column in enumerate(columns, 1))
    where = _is_row((owner, *key), placeholder, len(columns) + 1)
    return f"UPDATE {table} SET {changes} WHERE {where}"  # noqa: S608 - names are ours


def delete_sql(table: str, key: tuple[str, ...], placeholder: str) -> str:
    """Return the DELETE of the row of an owner and key."""
    owner, _ = REWRITTEN[table]
    return f"DELETE FROM {table} WHERE {_is_row((owner, *key), placeholder, 1)}"  # noqa: S608 - names are ours


def _marks(placeholder: str, first: int, count: int) -> str:
    return ", ".join(f"{placeholder}{at}" for at in range(first, first + count))


def _is_row(key: tuple[str, ...], placeholder: str, first: int) -> str:
    return " AND ".join(f"{column} = {placeholder}{at}" for at, column in enumerate(key, first))


def columns_of(table: Table) -> str:
    """Return the column list, as SQL."""
    return ", ".join(column.name for column in table.columns)


def page_sql(table: Table, key: tuple[str, ...], placeholder: str, *, first: bool) -> str:
    """Return the SELECT of the rows after a key, in its order; `placeholder` is `?` or `$`."""
    marks = [f"{placeholder}{at}" for at in range(1, len(key) + 2)]
    after = "" if first else f" WHERE ({', '.join(key)}) > ({', '.join(marks[:-1])})"
    limit = marks[0] if first else marks[-1]
    return f"SELECT {columns_of(table)} FROM {table.name}{after} ORDER BY {', '.join(key)} LIMIT {limit}"  # noqa: S608 - names are ours


def sized_page_sql(table: Table, key: tuple[str, ...], *, first: bool) -> str:
    """Return `page_sql` for PostgreSQL, but of rows until they have PAGE_BYTES, the last one with them."""
    columns = columns_of(table)
    sized = [column.name for column in table.columns if column.kind == "bytes"]
    size = " + ".join([f"coalesce(octet_length({name}), 0)" for name in sized]) or "0"
    order = ", ".join(key)
    return (
        f"SELECT {columns} FROM (SELECT page.*, sum({size}) OVER (ORDER BY {order} ROWS UNBOUNDED PRECEDING)"  # noqa: S608 - names are ours
        f" - ({size}) AS before FROM ({page_sql(table, key, '$', first=first)}) AS page) AS sized"
        f" WHERE before < {PAGE_BYTES} ORDER BY {order}"
    )


def sums_sql(table: Table, lengths: Mapping[Kind, str]) -> str:
    """Return the SELECT of the row count and, per column, of the sum of its numbers or lengths in bytes.

    `lengths` has SQL for the length in bytes of text and of bytes. Numbers are summed modulo a prime:
    ten million moments in microseconds would overflow 64 bits.
    """
    values = {"number": "{} % 1000000007", "boolean": "CASE WHEN {} THEN 1 ELSE 0 END", **lengths}
    sums = [f"coalesce(sum({values[column.kind].format(column.name)}), 0)" for column in table.columns]
    return f"SELECT count(*), {', '.join(sums)} FROM {table.name}"  # noqa: S608 - names are ours
