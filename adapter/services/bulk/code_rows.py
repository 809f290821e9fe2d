"""Rows of codes: into a pool, each once, with the position of the import in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from adapter.bulk.codes import CodeRows
from adapter.bulk.columns import Columns
from adapter.bulk.entries import BadRow
from adapter.bulk.records import Record
from adapter.model.codes import folded
from adapter.model.imports import ImportJob, ImportStep, RefusedRow
from adapter.services.bulk.rows import Taken, cell_options
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.store.checkout_values import PoolCode
from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes

MakeStep = Callable[[Sequence[Result]], ImportStep]


class _Code(Struct):
    """A code of a row, by the place of the row in the slice."""

    code: str
    fold: str


class CodeTaker:
    """Takes rows of codes. Codes of rows before are remembered, to refuse codes that occur twice."""

    def __init__(self, job: ImportJob, store: Store) -> None:
        self._job = job
        self._store = store
        self._pool = job.options.pool
        self._rows = CodeRows(job.created_at, cell_options(job.options), job.options)
        self._first: dict[str, int] = {}
        self._codes: dict[int, _Code] = {}
        self._held = -1

    @property
    def columns(self) -> Columns:
        """The columns of the file."""
        return self._rows.columns

    def take(self, record: Record) -> Taken:
        """Return what a record becomes; the code itself is kept here until the slice is settled."""
        if record.flaw:
            return Taken(record, refused=[RefusedRow(record.row, record.line, record.flaw, raw=record.raw)])
        try:
            found = self._rows.code(record)
        except BadRow as error:
            return Taken(record, refused=[RefusedRow(record.row, record.line, error.reason, error.column)])
        fold = folded(found.code)
        first = self._first.setdefault(fold, record.row)
        if first != record.row:
            reason = f"same code as row {first}"
            return Taken(record, refused=[RefusedRow(record.row, record.line, reason, "code")])
        self._codes[record.row] = _Code(found.code, fold)
        return Taken(record, [Work("import", "", found.code, self._job.created_at)])

    def shown(self, record: Record) -> object:
        """Return the code of a record, for people."""
        return self._rows.code(record)

    def pass_over(self, record: Record) -> None:
        """Remember the code of a row before the position."""
        if not record.flaw:
            try:
                self._first.setdefault(folded(self._rows.code(record).code), record.row)
            except BadRow:
                return

    async def prepare(self, taken: Sequence[Taken]) -> None:
        """Refuse codes that others have, and those for which the pool has no room."""
        own = [one for one in taken if one.works]
        codes = [self._codes[one.record.row].code for one in own]
        owners = await self._store.code_owners(codes) if codes else {}
        most = self._job.options.pool_limit
        if most and self._held < 0:
            self._held = sum(
                each.left + each.drawn for each in await self._store.pools() if each.name == self._pool
            )
        for one in own:
            code = self._codes[one.record.row]
            owner = owners.get(code.fold)
            if owner == self._pool:
                continue
            reason = ""
            if owner is not None:
                where = f"belongs to pool {owner}" if owner else "was issued, or is a voucher"
                reason = f"{code.code} {where}"
            elif most and self._held >= most:
                reason = f"pool {self._pool} is full ({most:,})"
            else:
                self._held += 1
            if reason:
                one.works = []
                one.refused = [RefusedRow(one.record.row, one.record.line, reason, "code")]
        self._owners = owners

    async def settle(self, taken: Sequence[Taken], make_step: MakeStep, now: datetime) -> None:
        """Commit the codes of a slice with its step."""
        results: list[Result] = []
        codes: list[PoolCode] = []
        for one in taken:
            if one.works:
                code = self._codes.pop(one.record.row)
                known = code.fold in self._owners
                results.append(Result(code.code, "duplicate" if known else "processed"))
                if not known:
                    codes.append(PoolCode(self._pool, code.code))
        step = make_step(results)

        async def script(transaction: Transaction) -> None:
            await transaction.save(_changes(now, step, codes))

        await self._store.transact(script)


def _changes(now: datetime, step: ImportStep, codes: Sequence[PoolCode]) -> Changes:
    return Changes(seen_at=now, pool_codes=codes, step=step)
