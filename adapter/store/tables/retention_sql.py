"""The statements that delete rows by age, which follow from the descriptions of tables, by name."""

from __future__ import annotations

from collections.abc import Iterable

from adapter.store.tables.description import Engine, NoCustomerData, Purge, Table


def purged(tables: Iterable[Table]) -> list[tuple[Table, Purge]]:
    """Return the tables of which rows are deleted by age."""
    return [
        (table, table.rows.purge)
        for table in tables
        if not isinstance(table.rows, NoCustomerData) and table.rows.purge is not None
    ]


def statements(tables: Iterable[Table], engine: Engine) -> dict[str, str]:
    """Return the statements of an engine: `purge_KIND`, and in SQLite `span_KIND`.

    In SQLite `purge_KIND` takes a span of row numbers, the first exclusive, and the moment; `span_KIND`
    selects the first and the last number. In PostgreSQL `purge_KIND` takes the moment and a limit, and
    returns a row for each deleted one.
    """
    if engine == "postgres":
        return {f"purge_{purge.kind}": _postgres(table, purge) for table, purge in purged(tables)}
    found = {f"purge_{purge.kind}": _sqlite(table, purge) for table, purge in purged(tables)}
    return found | {f"span_{purge.kind}": _span(table, purge) for table, purge in purged(tables)}


def _condition(purge: Purge) -> str:
    return f" AND {purge.condition}" if purge.condition else ""


def _sqlite(table: Table, purge: Purge) -> str:
    return (
        f"DELETE FROM {table.name} WHERE {purge.number} > ?1 AND {purge.number} <= ?2"  # noqa: S608 - names are ours
        f" AND {purge.column} < ?3{_condition(purge)}"
    )


def _span(table: Table, purge: Purge) -> str:
    return (
        f"SELECT coalesce((SELECT min({purge.number}) FROM {table.name}), 1),"  # noqa: S608 - names are ours
        f" coalesce((SELECT max({purge.number}) FROM {table.name}), 0)"
    )


def _postgres(table: Table, purge: Purge) -> str:
    name, order = table.name, f" ORDER BY {purge.ordered}" if purge.ordered else ""
    return (
        f"DELETE FROM {name} USING (SELECT {', '.join(table.key)} FROM {name}"  # noqa: S608 - names are ours
        f" WHERE {purge.column} < $1{_condition(purge)}{order} LIMIT $2) AS old"
        f" WHERE {' AND '.join(f'{name}.{column} = old.{column}' for column in table.key)} RETURNING 1"
    )
