"""What makes works of the records of each kind of import."""

from __future__ import annotations

from adapter.model.imports import ImportJob
from adapter.services.bulk.code_rows import CodeTaker
from adapter.services.bulk.discount_rows import DiscountTaker
from adapter.services.bulk.rows import RowTaker
from adapter.services.bulk.voucher_rows import VoucherTaker
from adapter.services.loaded_files import LoadedFiles
from adapter.store.contract import Store

Taker = RowTaker | CodeTaker | DiscountTaker | VoucherTaker


def taker_of(job: ImportJob, files: LoadedFiles, store: Store) -> Taker:
    """Return what makes works of the records of an import."""
    if job.kind == "codes":
        return CodeTaker(job, store) if job.options.pool else VoucherTaker(job, files, store)
    if job.kind == "discounts":
        return DiscountTaker(job, files, store)
    return RowTaker(job, files.mappings)
