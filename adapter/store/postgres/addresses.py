"""The index of email addresses, and what is left to be looked for of erased people; inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapter.store.addresses import Row, all_rows, rewritten
from adapter.store.contract import Forgotten
from adapter.store.erasures import amended, fingerprints
from adapter.store.moments import micros
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.copying import KEYS
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array, arrays
from adapter.store.tables import REWRITTEN, delete_sql, select_sql, update_sql


async def put(connection: Connection, rows: Sequence[Row]) -> None:
    """Note addresses."""
    if rows:
        await connection.execute(SQL["put_addresses"], *arrays(rows))


async def note_some(connection: Connection, limit: int) -> bool:
    """Note the addresses of some customers whose are not noted yet; returns whether there are no more."""
    async with connection.transaction():
        found = await connection.fetch(SQL["some_unaddressed"], limit)
        names = sorted(row[0] for row in found)
        bodies: dict[str, list[bytes]] = {}
        for name, body in await connection.fetch(SQL["lock_unaddressed"], array(names)):
            bodies.setdefault(name, []).append(body)
        for name, body in await connection.fetch(SQL["past"], array(bodies)):
            bodies[name].append(body)
        rows = {row for name, documents in bodies.items() for row in all_rows(name, documents)}
        await put(connection, sorted(rows))
        if not found:
            await connection.execute(SQL["end_addressing"])
        elif found[0][1]:
            await connection.execute(SQL["name_addressed"], array(names))
        else:
            await connection.execute(SQL["reach_addressed"], names[-1])
    return not found


async def forget(connection: Connection, source_id: str, address: str) -> int:
    """Remove an address from what is stored of a customer beside their record; returns the rows changed."""
    changed = 0
    for table, (owner, columns) in REWRITTEN.items():
        key = KEYS[table]
        for row in await connection.fetch(select_sql(table, owner, (*key, *columns), "$"), source_id):
            kept = rewritten(row[: len(key)], row[len(key) :], address)
            if kept is not None:
                sql = update_sql(table, columns, key, "$") if kept else delete_sql(table, key, "$")
                await connection.execute(sql, *kept, *row[: len(key)])
                changed += 1
    return changed


async def finish(connection: Connection, done: Forgotten, removed: Mapping[str, int]) -> None:
    """Forget the names of an erasure, and add to its receipts what else was removed."""
    async with connection.transaction():
        ended = await connection.execute(SQL["end_erasure"], done.number)
        if ended == "DELETE 0" or not removed:
            return
        for customer in fingerprints(done.customers):
            receipts = await connection.fetch(SQL["receipts_of"], customer, micros(done.erased_at))
            for number, told in receipts:
                await connection.execute(SQL["amend_receipt"], number, amended(told, removed))
