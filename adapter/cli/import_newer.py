"""How many stored facts of customers are newer than a file, and would be replaced by it all the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from adapter.cli.open_store import existing
from adapter.errors import Refused, StoreInUse
from adapter.model.imports import ImportJob
from adapter.model.operations import CustomerUpsert
from adapter.services.bulk import local
from adapter.services.bulk.reader import opened
from adapter.services.bulk.takers import taker_of
from adapter.services.loaded_files import LoadedFiles
from adapter.settings.values import Settings
from adapter.store.contract import Store

#: Rows of a file that are looked at.
MOST = 5_000


async def sentence(
    settings: Settings, files: LoadedFiles, store: Store, job: ImportJob, source: local.Source
) -> str:
    """Return what people should know; empty where nothing is newer, or where that is not known.

    A file is as old as its last change. The facts of rows with `updated_at` have times of their own.
    """
    if job.kind != "customers" or job.options.as_of is not None or source.is_input:
        return ""
    written = int(source.path.stat().st_mtime * 1000)
    newer = looked = 0
    try:
        async with existing(settings.store.url) as stored:
            for facts in islice(_facts(files, store, job, source), MOST):
                looked += 1
                customer = await stored.customer(facts.source_id)
                told_at = customer.told_at if customer is not None else {}
                newer += sum(told_at.get(name, 0) > written for name in _names(facts))
    except (Refused, StoreInUse):
        return ""  # there is no store yet, or a server has it
    if not newer:
        return ""
    among = f"of the first {MOST:,} rows " if looked == MOST else ""
    what = "stored value is" if newer == 1 else "stored values are"
    return f"{newer:,} {what} newer than the file {among}and would be replaced: --as-of TIME keeps them"


def _facts(
    files: LoadedFiles, store: Store, job: ImportJob, source: local.Source
) -> Iterator[CustomerUpsert]:
    given, taker = opened(source.given(), job.kind, job.options), taker_of(job, files, store)
    if given.header:
        taker.columns.take_header(given.header)
        if any(column.target.root == "updated_at" for column in taker.columns.columns):
            return
    for record in given.records:
        for work in taker.take(record).works:
            yield from (each for each in work.operations if isinstance(each, CustomerUpsert))


def _names(facts: CustomerUpsert) -> list[str]:
    return [*facts.fields, *(f"traits.{name}" for name in facts.traits)]
