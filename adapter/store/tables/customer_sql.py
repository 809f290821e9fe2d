"""The statements that follow from the descriptions of tables of customer data, by name.

`move_TABLE` gives rows of merged customers to the survivor: in SQLite of one (old, new), in PostgreSQL of
two arrays. `drop_moved_TABLE` deletes the rows of an array of merged customers. `erase_TABLE` deletes or
anonymises the rows of a customer, `export_TABLE` selects them, and `weigh` counts those of a customer
(SQLite) or of an array of customers (PostgreSQL), at most the second parameter of each table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adapter.store.tables.description import (
    Anonymise,
    CustomerRows,
    Delete,
    DeletedWith,
    Engine,
    Fold,
    Listed,
    Move,
    Rewrite,
    Table,
)

#: A table with what it says of customers.
Described = tuple[Table, CustomerRows]
_MOVED = "FROM unnest($1::text[], $2::text[]) AS moved (old, new)"


def of_customers(tables: Iterable[Table], engine: Engine | None = None) -> list[Described]:
    """Return the tables that have a customer's key, in their order; all, or those of an engine."""
    return [
        (table, table.rows)
        for table in tables
        if isinstance(table.rows, CustomerRows) and (engine is None or table.engine in (None, engine))
    ]


def statements(tables: Sequence[Table], engine: Engine) -> dict[str, str]:
    """Return the statements of an engine by name."""
    found: dict[str, str] = {}
    described = of_customers(tables, engine)
    mark = "?" if engine == "sqlite" else "$"
    for table, rows in described:
        if isinstance(rows.merge, Move):
            move = _sqlite_move if engine == "sqlite" else _postgres_move
            found[f"move_{table.name}"] = move(table, rows.column, keep_existing=rows.merge.keep_existing)
        if engine == "postgres" and isinstance(rows.merge, Rewrite | Fold):
            found[f"drop_moved_{table.name}"] = (
                f"DELETE FROM {table.name} USING unnest($1::text[]) AS moved (old)"  # noqa: S608 - names are ours
                f" WHERE {table.name}.{rows.column} = moved.old"
            )
        if not isinstance(rows.erase, DeletedWith):
            found[f"erase_{table.name}"] = f"{_erase(table.name, rows.erase)} WHERE {rows.column} = {mark}1"
        if isinstance(rows.export, Listed):
            found[f"export_{table.name}"] = (
                f"SELECT {', '.join(rows.export.columns)} FROM {table.name} WHERE {rows.column} = {mark}1"  # noqa: S608 - names are ours
                f" ORDER BY {', '.join(rows.export.order)}"
            )
    found["weigh"] = _weigh(described, engine)
    return found


def counted_as(rows: CustomerRows) -> str:
    """Return the kind by which a receipt counts erased rows; empty if it does not."""
    return "" if isinstance(rows.erase, DeletedWith) else rows.erase.counted


def _sqlite_move(table: Table, column: str, *, keep_existing: bool) -> str:
    update = "UPDATE OR IGNORE" if keep_existing else "UPDATE"
    return f"{update} {table.name} SET {column} = ?2 WHERE {column} = ?1"


def _postgres_move(table: Table, column: str, *, keep_existing: bool) -> str:
    name = table.name
    if not keep_existing:
        return f"UPDATE {name} SET {column} = moved.new {_MOVED} WHERE {name}.{column} = moved.old"  # noqa: S608 - names are ours
    others = [each.name for each in table.columns if each.name != column]
    using = _MOVED.replace("FROM", "USING", 1)
    return (  # names are ours
        f"WITH gone AS (DELETE FROM {name} {using} WHERE {name}.{column} = moved.old"  # noqa: S608
        f" RETURNING moved.new, {', '.join(f'{name}.{other}' for other in others)})"
        f" INSERT INTO {name} ({column}, {', '.join(others)})"
        f" SELECT gone.new, {', '.join(f'gone.{other}' for other in others)} FROM gone ON CONFLICT DO NOTHING"
    )


def _erase(table: str, erase: Delete | Anonymise) -> str:
    if isinstance(erase, Delete):
        return f"DELETE FROM {table}"  # noqa: S608 - names are ours
    return f"UPDATE {table} SET {', '.join(f'{column} = {value}' for column, value in erase.values.items())}"  # noqa: S608 - names are ours


def _weigh(described: list[Described], engine: Engine) -> str:
    customer, most = ("?1", "?2") if engine == "sqlite" else ("wanted.source_id", "$2")
    counts = {
        table.name: f"(SELECT count(*) FROM (SELECT 1 FROM {table.name}"  # noqa: S608 - names are ours
        f" WHERE {table.name}.{rows.column} = {customer} LIMIT {most}) AS few)"
        for table, rows in described
        if rows.weighed
    }
    names = counts.pop("identities", "0")
    wanted = "" if engine == "sqlite" else " FROM unnest($1::text[]) AS wanted (source_id)"
    return f"SELECT {customer}, {' + '.join(counts.values()) or '0'}, {names}{wanted}"
