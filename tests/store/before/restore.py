"""Restores the recorded store of version 1f94a33 into a new store of either engine."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from adapter.store.postgres import connection as postgres
from adapter.store.postgres import migrate as migrate_postgres
from adapter.store.postgres.statements import MIGRATIONS as OF_POSTGRES
from adapter.store.sqlite import connection as sqlite
from adapter.store.sqlite import migrate as migrate_sqlite
from adapter.store.sqlite.statements import MIGRATIONS as OF_SQLITE

HERE = Path(__file__).parent
#: A moment shortly after the recording.
AFTER = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)
#: How many migrations version 1f94a33 had.
_SQLITE, _POSTGRES = 1, 3


async def restore(url: str) -> None:
    """Fill the empty store at `url`, under the schema of version 1f94a33."""
    if url.startswith("sqlite"):
        file = sqlite.connect(url.removeprefix("sqlite:///"))
        migrate_sqlite.migrate(file, OF_SQLITE[:_SQLITE], url)
        file.execute((HERE / "sqlite.sql").read_text())
        file.close()
        return
    connection = await postgres.connect(url, {})
    await migrate_postgres.migrate(connection, OF_POSTGRES[:_POSTGRES], url)
    await connection.execute((HERE / "postgres.sql").read_text())
    await connection.close()
