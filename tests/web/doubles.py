"""Services of deliveries, imports and dumps that record their calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Raw

from adapter.errors import NotFound, WrongMove
from adapter.model.deliveries import EVERYTHING, Delivery, DeliveryStatus, Past, PastAttempt, Selection
from adapter.model.imports import ImportJob, ImportKind, ImportOptions
from adapter.model.pages import Page
from adapter.services.bulk.dump import Dump, DumpKind, Filters
from adapter.services.bulk.uploads import Refusal, Uploads
from adapter.services.delivery.retries import Pushed, Retried, Retries
from adapter.services.delivery.shown import Rest, ShownDelivery, shown

NOW = datetime(2024, 7, 15, 18, 24, 10, tzinfo=UTC)


class FakeDeliveries(Retries):
    def __init__(self) -> None:
        self.asked: Any = None

    async def pauses(self) -> list[Rest]:
        return [Rest("webhook", NOW, NOW + timedelta(hours=1), "answered 410")]

    async def page(
        self, status: DeliveryStatus, selection: Selection = EVERYTHING, after: str | None = None
    ) -> Page[ShownDelivery]:
        self.asked = (status, selection, after)
        past = Past().followed_by(PastAttempt(NOW, 1, 500, "answered 500", "oh no"))
        found = Delivery("d1", "webhook", "u1", "discount.issued", Raw(b"{}"), NOW, NOW, 1, past=past)
        page = Page([shown(found, None)])
        page.next = "7"
        return page

    async def retry(self, selection: Selection, statuses: Collection[DeliveryStatus]) -> Retried:
        self.asked = (selection, statuses)
        return Retried(2, [])

    async def resume(self, destination: str) -> Retried:
        return await self.retry_all(destination)

    async def test(self, destination: str) -> Pushed:
        await self.retry_all(destination)
        return Pushed(False, 500, "answered 500", "oh no")

    async def retry_all(self, destination: str | None = None) -> Retried:
        if destination not in (None, "webhook"):
            raise NotFound(f"no destination is named `{destination}`")
        return Retried(3, await self.pauses())


class FakeUploads(Uploads):
    """One import, `imp_1`, which has ended with a refused row."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    async def receive(
        self, kind: ImportKind, name: str, options: ImportOptions, body: AsyncIterator[bytes]
    ) -> ImportJob:
        content = b"".join([piece async for piece in body])
        self.received.append(content)
        return ImportJob("imp_2", kind, name, NOW, options, size=len(content))

    async def job(self, id_: str) -> ImportJob:
        if id_ != "imp_1":
            raise NotFound("there is no such import")
        return ImportJob(id_, "customers", "a.csv", NOW, state="done")

    async def jobs(self, before: str | None = None) -> list[ImportJob]:
        return [await self.job("imp_1")] if before is None else []

    async def cancel(self, id_: str) -> ImportJob:
        raise WrongMove(f"the import is {(await self.job(id_)).state} already")

    async def refusals(self, id_: str, after: int) -> tuple[list[Refusal], int | None]:
        await self.job(id_)
        return [] if after else [Refusal(3, 3, "source_id is empty")], None

    async def refused_file(self, id_: str) -> AsyncIterator[bytes]:
        await self.job(id_)

        async def pieces() -> AsyncIterator[bytes]:
            yield b"source_id,import.row,import.reason\r\n"

        return pieces()


class FakeDump(Dump):
    """Two customers."""

    def __init__(self, kind: DumpKind, filters: Filters) -> None:
        self.kind = kind
        self.filters = filters

    async def rows(self) -> AsyncIterator[dict[str, Any]]:
        yield {"source_id": "c-1", "name": "Ada"}
        yield {"source_id": "c-2", "name": "=1+1"}
