"""What every engine guarantees of imports: jobs, the uploads that they read, and the rows refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from adapter.errors import AdapterError
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.events import Event
from adapter.model.imports import ImportJob, ImportState, RefusedRow

#: Customer, microseconds, id and identity of an event.
EventKey = tuple[str, int, str, bytes]
#: Customer, microseconds and number of a decision.
DecisionKey = tuple[str, int, int]


class ImportLost(AdapterError):
    """Another worker has the import, or it was cancelled: nothing of the slice was saved."""

    code = "import_lost"


class ErasedMeanwhile(AdapterError):
    """A person of the slice was erased since the slice was made: nothing of it was saved."""

    code = "erased_meanwhile"


class ImportStore(Protocol):
    """The verbs of imports. A slice is saved by `Changes.step`, in the transaction of its effect."""

    async def add_import(self, job: ImportJob) -> None:
        """Store a new import; of the same id the first is kept."""
        ...

    async def import_job(self, id_: str) -> ImportJob | None:
        """Return an import."""
        ...

    async def import_jobs(self, limit: int = 100, before: str | None = None) -> list[ImportJob]:
        """Return imports, the newest first, those after one where it is named."""
        ...

    async def add_import_chunk(self, id_: str, number: int, data: bytes) -> None:
        """Store a piece of an upload; raises ImportLost where the import is received no more."""
        ...

    async def import_chunk(self, id_: str, number: int) -> bytes | None:
        """Return a piece of an upload, None behind the last."""
        ...

    async def import_bytes(self) -> int:
        """Return how many bytes of uploads are stored."""
        ...

    async def received_import(self, job: ImportJob) -> None:
        """Let an import run whose upload is complete; raises ImportLost where it was cancelled."""
        ...

    async def lease_import(
        self, worker: str, now: datetime, until: datetime, id_: str = ""
    ) -> ImportJob | None:
        """Lease the oldest import that waits or whose worker is gone, or the one that is named.

        Only one import of the servers is leased at a time. Returns None where there is none to run.
        """
        ...

    async def keep_import(self, id_: str, worker: str, until: datetime) -> None:
        """Let a lease last longer, where that worker has it still."""
        ...

    async def release_import(self, id_: str, worker: str) -> None:
        """Give a lease back, so that another worker need not wait for its end."""
        ...

    async def end_import(self, job: ImportJob, worker: str = "") -> bool:
        """Store the end of an import, and delete its upload; returns whether it had not ended before.

        With `worker` only where that one has the lease.
        """
        ...

    async def refused_rows(
        self, id_: str, after: int = 0, limit: int = 500
    ) -> Sequence[tuple[int, RefusedRow]]:
        """Return refused rows with their numbers, which are above `after`, in order."""
        ...

    async def drop_import(self, id_: str) -> None:
        """Delete an import with its upload and refused rows."""
        ...

    async def purge_imports(self, before: datetime, states: Sequence[ImportState]) -> int:
        """Delete imports of these states that were not changed since, with all that they have."""
        ...

    async def dump_customers(self, after: str, limit: int) -> list[tuple[str, Customer, bytes]]:
        """Return keys, customers and histories behind a key, in order."""
        ...

    async def dump_events(
        self, after: EventKey, since: datetime | None, until: datetime | None, limit: int
    ) -> list[tuple[EventKey, Event]]:
        """Return keys and events of a time behind a key, in the order of customers and times."""
        ...

    async def dump_decisions(
        self, after: DecisionKey, since: datetime | None, until: datetime | None, limit: int
    ) -> list[tuple[DecisionKey, Decision]]:
        """Return keys and decisions of a time behind a key, in the order of customers and times."""
        ...

    async def code_owners(self, codes: Sequence[str]) -> dict[str, str]:
        """Return whose codes are, by folded spelling: a pool, or empty for a discount; of those known."""
        ...

    async def erased_ids(self, source_ids: Sequence[str]) -> dict[str, datetime]:
        """Return those of the ids that were erased, with the moment of the latest erasure."""
        ...
