"""A store that is there already, as commands use it: none of them makes one by a slip of the folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapter.errors import Refused
from adapter.store.engines import open_store, shown
from adapter.store.migrations import Schema
from adapter.store.postgres.engine import PostgresStore
from adapter.store.sqlite.engine import SqliteStore


@asynccontextmanager
async def existing(url: str) -> AsyncIterator[SqliteStore | PostgresStore]:
    """Open a store for a while; raises Refused as `expect_readable`, Unavailable when it cannot be had."""
    await expect_readable(url)
    store = open_store(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def expect_readable(url: str) -> None:
    """Raise Refused unless there is a store whose schema this program knows, or may go on with."""
    schema = await open_store(url).schema()
    if not schema.usable or schema.applied < schema.latest:
        raise Refused(other(url, schema))


async def expect_current(url: str) -> None:
    """Raise Refused unless opening the store would leave it as it is."""
    schema = await open_store(url).schema()
    if schema.applied != schema.latest:
        raise Refused(other(url, schema))


def other(url: str, schema: Schema) -> str:
    """Say why a store of this schema is not used, and what to do."""
    at = shown(url)
    store = open_store(url)
    if isinstance(store, SqliteStore) and store.missing_folder:
        return (
            f"there is no store at {at}: its folder {store.missing_folder} is missing; make it, or mount it"
        )
    if not schema.applied:
        return f"there is no store at {at} yet: `adapter serve` and `adapter store migrate` make one"
    if schema.applied > schema.latest:
        return f"{at} has schema {schema.applied}, newer than this program's: use the program that wrote it"
    return f"{at} has schema {schema.applied} of {schema.latest}: run `adapter store migrate` first"
