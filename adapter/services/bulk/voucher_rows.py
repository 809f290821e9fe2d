"""Rows of codes with a worth of their own: each becomes a voucher, with the uses that it had before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from adapter.bulk.codes import Code, CodeRows
from adapter.bulk.columns import Columns
from adapter.bulk.entries import BadRow
from adapter.bulk.records import Record
from adapter.bulk.vouchers import has_worth, spent, updated, voucher_of
from adapter.errors import InvalidImport
from adapter.model.codes import folded
from adapter.model.counter_key import ScopedKey
from adapter.model.imports import ImportJob, ImportStep, RefusedRow
from adapter.model.money import minor_units
from adapter.model.vouchers import Voucher, spent_of, uses_of
from adapter.services.bulk.rows import Taken, cell_options
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.store.checkout_values import BookingRequest
from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes

MakeStep = Callable[[Sequence[Result]], ImportStep]
#: Columns by one of which a file may be one of vouchers, or change some.
_SAYING = frozenset(("value", "gift_amount", "loyalty_points", "type", "active", "category"))


class _Slice(Struct):
    """What a slice writes. Counters are of uses and of money that was spent before."""

    results: list[Result] = []
    new: list[Voucher] = []
    changed: list[Voucher] = []
    counters: dict[ScopedKey, int] = {}


class VoucherTaker:
    """Takes rows of vouchers. Of a code that is stored `active` and `category` change, and nothing else."""

    def __init__(self, job: ImportJob, files: LoadedFiles, store: Store) -> None:
        self._job = job
        self._files = files
        self._store = store
        self._rows = CodeRows(job.created_at, cell_options(job.options), job.options)
        self._first: dict[str, int] = {}
        self._codes: dict[int, Code] = {}

    @property
    def columns(self) -> Columns:
        """The columns of the file."""
        return self._rows.columns

    def take(self, record: Record) -> Taken:
        """Return what a record becomes; raises InvalidImport for a file with columns of another kind."""
        if not self._first:
            self._expect_columns()
        if record.flaw:
            return Taken(record, refused=[RefusedRow(record.row, record.line, record.flaw, raw=record.raw)])
        try:
            found = self._code(record)
        except BadRow as error:
            return Taken(record, refused=[RefusedRow(record.row, record.line, error.reason, error.column)])
        self._codes[record.row] = found
        return Taken(record, [Work("import", "", found.code, self._job.created_at)])

    def _code(self, record: Record) -> Code:
        found = self._rows.code(record)
        if has_worth(found):
            voucher_of(found)
        rule = self._files.rules.promotions.named(found.code)
        if rule is not None:
            raise BadRow(f"{found.code} is the code of the rule {rule.name}", "code")
        first = self._first.setdefault(folded(found.code), record.row)
        if first != record.row:
            raise BadRow(f"same code as row {first}", "code")
        return found

    def _expect_columns(self) -> None:
        columns = self._rows.columns.columns
        person = next((column for column in columns if column.target.root == "person"), None)
        if person is not None:
            raise InvalidImport(
                f"column {person.place + 1} ({person.name}) names a person, and vouchers have no customer: "
                f"import such codes as discounts, or leave the column out with --column '{person.name}='"
            )
        if columns and _SAYING.isdisjoint(column.target.root for column in columns):
            raise InvalidImport(
                "no column says what the codes are worth: add Value and Discount Type, or put them into a "
                "pool with --pool, from which a rule hands them out by `code_pool`"
            )

    def shown(self, record: Record) -> object:
        """Return the voucher of a record, for people; of one without a worth what it says."""
        found = self._rows.code(record)
        return voucher_of(found) if has_worth(found) else found

    def pass_over(self, record: Record) -> None:
        """Remember the code of a row before the position."""
        if not record.flaw:
            try:
                self._code(record)
            except BadRow:
                return

    async def prepare(self, taken: Sequence[Taken]) -> None:
        """Refuse codes of pools."""
        own = [one for one in taken if one.works]
        codes = [self._codes[one.record.row].code for one in own]
        owners = await self._store.code_owners(codes) if codes else {}
        for one in own:
            code = self._codes[one.record.row].code
            pool = owners.get(folded(code))
            if pool:
                one.works = []
                reason = f"{code} belongs to pool {pool}"
                one.refused = [RefusedRow(one.record.row, one.record.line, reason, "code")]

    async def settle(self, taken: Sequence[Taken], make_step: MakeStep, now: datetime) -> None:
        """Commit the vouchers of a slice with its step."""
        rows = [(one, self._codes[one.record.row]) for one in taken if one.works]

        async def script(transaction: Transaction) -> None:
            codes = [code.code for _, code in rows]
            booked = await transaction.booked(BookingRequest(vouchers=codes))
            issued = (await transaction.reserve((), codes)).taken
            found = _Slice(counters=defaultdict(int))
            for one, code in rows:
                stored = booked.vouchers.get(folded(code.code))
                if stored is not None:
                    found.results.append(_again(one, stored, code, found))
                elif code.code in issued:
                    found.results.append(_refused(code, f"{code.code} is a discount that was issued"))
                else:
                    found.results.append(_anew(one, code, found))
            await transaction.save(_changes(now, found, make_step(found.results)))

        await self._store.transact(script)
        for one in taken:
            self._codes.pop(one.record.row, None)


def _again(one: Taken, stored: Voucher, code: Code, found: _Slice) -> Result:
    """Change a voucher that is stored."""
    after, others = updated(stored, code)
    if others:
        verb = "differs and was" if len(others) == 1 else "differ and were"
        one.warning = f"{code.code} exists: {' and '.join(others)} {verb} left as stored"
    if after == stored:
        return Result(code.code, "duplicate")
    found.changed.append(after)
    return Result(code.code, "processed")


def _anew(one: Taken, code: Code, found: _Slice) -> Result:
    """Add a voucher, with the uses that it had."""
    try:
        voucher = voucher_of(code)
    except BadRow as error:
        return _refused(code, error.reason)
    if code.limit and code.redeemed > code.limit:
        one.warning = f"{code.code} was used {code.redeemed} times of {code.limit}: kept so, and used up"
    found.new.append(voucher)
    if code.redeemed:
        found.counters["", uses_of(code.code)] += code.redeemed
    before = spent(code)
    if before and voucher.action.currency:
        counter = spent_of(code.code, voucher.action.currency)
        found.counters["", counter] += minor_units(before, voucher.action.currency)
    return Result(code.code, "processed")


def _refused(code: Code, reason: str) -> Result:
    return Result(code.code, "quarantined", reason)


def _changes(now: datetime, found: _Slice, step: ImportStep) -> Changes:
    return Changes(
        seen_at=now, counters=found.counters, vouchers=found.new, changed_vouchers=found.changed, step=step
    )
