"""What a person may ask: what is held of them, and that it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime

from adapter.errors import Unavailable, Unreadable
from adapter.model.emails import normal
from adapter.model.erasures import Receipt
from adapter.model.ids import invalid_id_reason
from adapter.model.operations import CustomerErase
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.services.privacy.address_owner import holds
from adapter.services.privacy.export import export
from adapter.services.privacy.redaction import Forgetting
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store

#: So many customers in whose data an address stands are erased or cleaned for one request.
MOST_CUSTOMERS = 200
_MORE = "the address stands in the data of more customers than are done at a time: ask again for the rest"
_NO_RECEIPT = "the erasure left no receipt: try it again"
_UNDER_WAY = "the person is erased, and what others say of them is still being looked through: ask again"
Submit = Callable[[Sequence[Work]], Awaitable[list[Result]]]


class Privacy:
    """Erases and exports. `submit` settles works durably, as the committer does."""

    def __init__(
        self,
        store: Store,
        submit: Submit,
        clock: Callable[[], datetime],
        patience: ReadTimeout,
        forgetting: Forgetting,
    ) -> None:
        self._store = store
        self._submit = submit
        self._clock = clock
        self._read = patience.read
        self._forgetting = forgetting

    async def erase(self, source_id: str, by: str = "api", request: str = "") -> Receipt:
        """Remove all that is held of whom any of their ids names, durably, and return the receipt.

        Repeating it is safe, also after it was cut off: the second time there is nothing left to remove.
        What arrives afterwards begins a new, empty customer, whom a `request` that comes again spares.
        Raises Unreadable where no one person can be meant, Unavailable when it should be tried again: to find
        what others say of them may take longer.
        """
        await self._erase(source_id, by, request)
        await self._finished()
        receipts = await self._read(self._store.receipts(source_id))
        ours = (receipt for receipt in receipts if (receipt.by, receipt.request) == (by, request))
        receipt = next(ours, None)
        if receipt is None:
            raise Unavailable(_NO_RECEIPT)
        return receipt

    async def _erase(self, source_id: str, by: str, request: str) -> None:
        """Remove a customer's own data."""
        wrong = invalid_id_reason(source_id)
        if wrong is not None:
            raise Unreadable(wrong)
        key = f"{request} {source_id}" if request else ""
        work = Work(by, key, request, self._clock(), (CustomerErase(source_id),))
        [result] = await self._submit([work])
        if result.error is not None:
            raise Unavailable(_NO_RECEIPT)

    async def erase_address(self, email: str, by: str = "api", request: str = "") -> None:
        """Remove all customers who hold an email address, and the address wherever else it stands.

        Raises as `erase` does; when there are too many for one request, the next goes on where it ended. The
        data of others are searched once for all of them, at the end.
        """
        address = normal(email)
        if address is None:
            raise Unreadable("the email address is none")
        after, left = "", MOST_CUSTOMERS
        while page := await self._read(self._store.addressed(address, after)):
            after = page[-1]
            for source_id in page:
                if not left:
                    raise Unavailable(_MORE, retry_after=1)
                left -= 1
                if await self._read(holds(self._store, source_id, address)):
                    await self._erase(source_id, by, request)
                else:
                    await self._read(self._forgetting.forget(source_id, address))
        await self.erase(email, by, request)

    async def _finished(self) -> None:
        try:
            await self._read(self._forgetting.finish())
        except Unavailable as error:
            raise Unavailable(_UNDER_WAY, retry_after=error.retry_after) from error

    def export(self, source_id: str) -> AsyncIterator[bytes]:
        """Yield all that is held of a person (see `exporting`); raises Unavailable when that is slow."""
        return export(self._store, source_id, self._read)
