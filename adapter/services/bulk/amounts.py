"""What the first amounts of a file of vouchers become: 10 may be ten euros or ten cents."""

from __future__ import annotations

from itertools import islice

from adapter.bulk.records import Record
from adapter.bulk.vouchers import described
from adapter.errors import Refused
from adapter.model.imports import ImportJob
from adapter.model.vouchers import Voucher
from adapter.services.bulk.reader import Input, opened
from adapter.services.bulk.voucher_rows import VoucherTaker
from adapter.services.loaded_files import LoadedFiles
from adapter.store.contract import Store

#: Amounts that are shown, and rows that are read for them.
_SHOWN = 3
_READ = 100_000


def first_amounts(job: ImportJob, given: Input, files: LoadedFiles, store: Store) -> list[str]:
    """Return what the first amounts become, as sentences; none where the file has no amount of money.

    A file that cannot be read has none: its import says why.
    """
    found: list[str] = []
    try:
        source = opened(given, job.kind, job.options)
        taker = VoucherTaker(job, files, store)
        if source.header:
            taker.columns.take_header(source.header)
        for record in islice(source.records, _READ):
            if taker.take(record).works:
                found += amount_of(taker, record)
            if len(found) >= _SHOWN:
                break
    except Refused:
        return found
    return found


def amount_of(taker: VoucherTaker, record: Record) -> list[str]:
    """Return what the amount of a record becomes; nothing where it has none."""
    shown = taker.shown(record)
    sentence = described(shown) if isinstance(shown, Voucher) else ""
    return [sentence] if sentence else []
