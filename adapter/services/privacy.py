"""What a person may ask: what is held of them, and that it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime

from adapter.errors import Unavailable, Unreadable
from adapter.model.erasures import Receipt
from adapter.model.ids import fault
from adapter.model.operations import CustomerErase
from adapter.services.exporting import export
from adapter.services.patience import Patience
from adapter.services.results import Result
from adapter.services.work import Work
from adapter.store.contract import Store

Submit = Callable[[Sequence[Work]], Awaitable[list[Result]]]


class Privacy:
    """Erases and exports. `submit` settles works durably, as the committer does."""

    def __init__(
        self, store: Store, submit: Submit, clock: Callable[[], datetime], patience: Patience
    ) -> None:
        self._store = store
        self._submit = submit
        self._clock = clock
        self._read = patience.read

    async def erase(self, source_id: str, by: str = "api", request: str = "") -> Receipt:
        """Remove all that is held of whom any of their ids names, durably, and return the receipt.

        Repeating it is safe, also after it was cut off: the second time there is nothing left to remove.
        What arrives afterwards begins a new, empty customer, whom a `request` that comes again spares.
        Raises Unreadable where no one person can be meant, Unavailable when it should be tried again.
        """
        wrong = fault(source_id)
        if wrong is not None:
            raise Unreadable(wrong)
        key = f"{request} {source_id}" if request else ""
        work = Work(by, key, request, self._clock(), (CustomerErase(source_id),))
        [result] = await self._submit([work])
        receipts = await self._read(self._store.receipts(source_id))
        ours = (receipt for receipt in receipts if (receipt.by, receipt.request) == (by, request))
        receipt = next(ours, None)
        if result.error is not None or receipt is None:
            raise Unavailable("the erasure left no receipt: try it again")
        return receipt

    async def with_email(self, email: str) -> list[str]:
        """Return the source_ids of customers with exactly this email; reads all customers."""
        return await self._store.customers_by_email(email)

    def export(self, source_id: str) -> AsyncIterator[bytes]:
        """Yield all that is held of a person (see `exporting`); raises Unavailable when that is slow."""
        return export(self._store, source_id, self._read)
