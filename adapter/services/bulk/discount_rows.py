"""Rows of issued discounts: they count in limits for each customer, not in caps and budgets of the shop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec.structs import replace

from adapter.bulk.columns import Columns
from adapter.bulk.discounts import DiscountRows
from adapter.bulk.entries import BadRow, Reading
from adapter.bulk.records import Record
from adapter.model.codes import folded
from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import DiscountRecord
from adapter.model.imports import ImportJob, ImportStep, RefusedRow
from adapter.services.bulk.rows import Taken, cell_options
from adapter.services.ingest.identities import IdentityGraph
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.store.checkout_values import BookingRequest
from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, LoadRequest

MakeStep = Callable[[Sequence[Result]], ImportStep]


class DiscountTaker:
    """Takes rows of discounts. A code that exists is left as it is stored."""

    def __init__(self, job: ImportJob, files: LoadedFiles, store: Store) -> None:
        self._files = files
        self._store = store
        self._job = job
        reading = Reading(
            cells=cell_options(job.options),
            now=job.created_at,
            is_placeholder=files.mappings.placeholders.__contains__,
            as_of=job.options.as_of,
        )
        self._rows = DiscountRows(reading, job.options.columns or None)
        self._first: dict[str, int] = {}
        self._discounts: dict[int, DiscountRecord] = {}
        self._owners: dict[str, str] = {}

    @property
    def columns(self) -> Columns:
        """The columns of the file."""
        return self._rows.columns

    def take(self, record: Record) -> Taken:
        """Return what a record becomes; the discount is kept here until the slice is settled."""
        if record.flaw:
            return Taken(record, refused=[RefusedRow(record.row, record.line, record.flaw, raw=record.raw)])
        try:
            found = self._rows.discount(record)
        except BadRow as error:
            return Taken(record, refused=[RefusedRow(record.row, record.line, error.reason, error.column)])
        code = found.discount.code
        first = self._first.setdefault(folded(code), record.row)
        if first != record.row:
            reason = f"same code as row {first}"
            return Taken(record, refused=[RefusedRow(record.row, record.line, reason, "code")])
        self._discounts[record.row] = found
        work = Work("import", "", code, self._job.created_at)
        return Taken(record, [work], source_ids=(found.source_id,))

    def shown(self, record: Record) -> object:
        """Return the discount of a record, for people."""
        return self._discounts[record.row]

    def pass_over(self, record: Record) -> None:
        """Remember the code of a row before the position."""
        if not record.flaw:
            try:
                self._first.setdefault(folded(self._rows.discount(record).discount.code), record.row)
            except BadRow:
                return

    async def prepare(self, taken: Sequence[Taken]) -> None:
        """Look up which codes exist, and refuse those of pools."""
        own = [one for one in taken if one.works]
        codes = [self._discounts[one.record.row].discount.code for one in own]
        self._owners = await self._store.code_owners(codes) if codes else {}
        for one in own:
            code = self._discounts[one.record.row].discount.code
            pool = self._owners.get(folded(code))
            if pool:
                one.works = []
                reason = f"{code} belongs to pool {pool}"
                one.refused = [RefusedRow(one.record.row, one.record.line, reason, "code")]

    async def settle(self, taken: Sequence[Taken], make_step: MakeStep, now: datetime) -> None:
        """Commit the discounts of a slice with its step."""
        found = [self._discounts[one.record.row] for one in taken if one.works]

        async def script(transaction: Transaction) -> None:
            names = sorted({held.source_id for held in found})
            codes = [held.discount.code for held in found]
            loaded = await transaction.load(LoadRequest(customers=names, codes=codes), now)
            people = IdentityGraph(loaded, self._files.mappings.names)
            known = {folded(code) for code in loaded.discounts}
            vouchers = (await transaction.booked(BookingRequest(vouchers=codes))).vouchers
            results, new = [], []
            counters: dict[ScopedKey, int] = defaultdict(int)
            for held in found:
                code = held.discount.code
                if folded(code) in known:
                    results.append(Result(code, "duplicate"))
                    continue
                if folded(code) in vouchers:
                    reason = f"{code} is the code of a voucher, which has no customer"
                    results.append(Result(code, "quarantined", reason))
                    continue
                results.append(Result(code, "processed"))
                owner = people.find(held.source_id, {}).customer.source_id
                new.append(self._counted(held, owner, counters))
            changes = _changes(now, people, new, counters, make_step(results))
            await transaction.save(changes)

        await self._store.transact(script)
        for one in taken:
            self._discounts.pop(one.record.row, None)

    def _counted(self, held: DiscountRecord, owner: str, counters: dict[ScopedKey, int]) -> DiscountRecord:
        """Return a discount with what it takes of its customer's limits, and count that."""
        claims = tuple(
            replace(claim, scope=owner) if claim.scope == held.source_id else claim for claim in held.claims
        )
        if not claims:
            claims = tuple(self._files.rules.personal_claims(held.rule, owner, held.issued_at))
        claims = tuple(claim for claim in claims if claim.scope == owner)
        if held.discount.status not in {"expired", "revoked"}:
            for claim in claims:
                counters[claim.scope, claim.key] += claim.amount
        return replace(held, source_id=owner, claims=claims)


def _changes(
    now: datetime,
    people: IdentityGraph,
    discounts: list[DiscountRecord],
    counters: dict[ScopedKey, int],
    step: ImportStep,
) -> Changes:
    return Changes(
        seen_at=now,
        customers=list(people.changed()),
        identities=people.new_identities,
        moved=people.moved,
        discounts=discounts,
        counters=counters,
        step=step,
    )
