"""What a transaction costs: statements, rows written, and lines of Python run, on either engine."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any, TypeVar

from msgspec import Struct

from adapter.store.contract import Store
from adapter.store.transaction_contract import OnLocksAcquired, Transaction

T = TypeVar("T")
_WRITTEN = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_xact_user_tables"


class Cost(Struct):
    """What has been spent; `lines` are those run in this program's own modules, while `tracing`."""

    transactions: int = 0
    statements: int = 0
    rows: int = 0
    lines: int = 0


class Counted:
    """A store whose transactions are counted; the rest is the store's."""

    def __init__(self, store: Store, *, tracing: bool = False) -> None:
        self._store = store
        self._tracing = tracing
        self.cost = Cost()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def taken(self) -> Cost:
        """Return what has been spent since this was last asked."""
        cost, self.cost = self.cost, Cost()
        return cost

    async def transact(
        self, script: Callable[[Transaction], Awaitable[T]], on_locks_acquired: OnLocksAcquired | None = None
    ) -> T:
        async def counted(transaction: Any) -> T:
            connection = transaction._transaction._connection
            self.cost.transactions += 1
            before = await _rows(connection)
            _listen(connection, self._note)
            if self._tracing:
                sys.settrace(self._trace)
            try:
                result = await script(transaction)
            finally:
                sys.settrace(None)
                _listen(connection, None)
            self.cost.rows += await _rows(connection) - before
            return result

        return await self._store.transact(counted, on_locks_acquired)

    def _note(self, *_: Any) -> bool:
        self.cost.statements += 1
        return True

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if "/adapter/" not in frame.f_code.co_filename:
            return None
        if event == "line":
            self.cost.lines += 1
        return self._trace


async def _rows(connection: Any) -> int:
    if hasattr(connection, "total_changes"):
        return int(connection.total_changes())
    return int(await connection.fetchval(_WRITTEN))


def _listen(connection: Any, note: Callable[..., bool] | None) -> None:
    if hasattr(connection, "total_changes"):
        connection.exec_trace = note
    elif note is not None:
        connection.add_query_logger(note)
    else:
        connection._query_loggers.clear()
