"""The index of email addresses, and the end of erasures; runs inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapter.model.removals import Removal
from adapter.store.addresses import Row, address_digest, all_rows, from_place, rewritten
from adapter.store.erasures import amended, fingerprints
from adapter.store.postgres.connection import Connection, transaction
from adapter.store.postgres.statements import REDACTIONS, SQL
from adapter.store.postgres.text import array, arrays
from adapter.store.tables.redaction_sql import ROWS
from adapter.store.timestamps import micros
from adapter.store.values import Forgotten, Place


async def put(connection: Connection, rows: Sequence[Row]) -> None:
    """Add addresses to the index."""
    if rows:
        await connection.execute(SQL["put_addresses"], *arrays(rows))


async def note_some(connection: Connection, limit: int) -> bool:
    """Index the addresses of some customers that are not indexed; returns whether none are left."""
    async with transaction(connection):
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


async def redact(
    connection: Connection, source_id: str, removal: Removal, after: Place | None
) -> tuple[int, Place | None]:
    """Remove an address or ids from some rows of a customer; returns the number and the next place."""
    changed = 0
    for table, redaction in from_place(REDACTIONS, after):
        start, width = after[1] if after is not None and after[0] == table else (), len(redaction.key)
        sql = redaction.next if start else redaction.first
        # Rows of no customer are locked by no customer's record.
        rows = await connection.fetch(sql if source_id else f"{sql} FOR UPDATE", source_id, *start)
        for row in rows:
            kept = rewritten(table, row[:width], row[width:], removal)
            if kept is not None:
                sql = redaction.update if kept else redaction.delete
                await connection.execute(sql, *kept, source_id, *row[:width])
                changed += 1
        if len(rows) == ROWS:
            return changed, (table, tuple(rows[-1][:width]))
    if removal.address:
        await connection.execute(SQL["drop_address"], address_digest(removal.address), source_id)
    return changed, None


async def finish(connection: Connection, done: Forgotten, removed: Mapping[str, int]) -> None:
    """Delete the names of an erasure, and add to its receipts what else was removed."""
    async with transaction(connection):
        ended = await connection.execute(SQL["end_erasure"], done.number)
        if ended == "DELETE 0" or not removed:
            return
        for customer in fingerprints(done.customers):
            receipts = await connection.fetch(SQL["receipts_of"], customer, micros(done.erased_at))
            for number, removed_before in receipts:
                await connection.execute(SQL["amend_receipt"], number, amended(removed_before, removed))
