"""What handles many rows at once: imports of files beside live traffic."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from msgspec import Struct

from adapter.composition.base import Base
from adapter.composition.committing import Committing
from adapter.services.bulk.importer import Importer
from adapter.services.bulk.runner import ImportRunner
from adapter.services.bulk.slices import Slices
from adapter.services.bulk.uploads import Uploads


class BulkServices(Struct, frozen=True, kw_only=True):
    """`uploads` stores files, and `importing` imports them."""

    uploads: Uploads
    importing: ImportRunner

    @classmethod
    def of(cls, base: Base, committing: Committing) -> Self:
        """Build them; an upload that is complete wakes the import."""
        importing = _importing(base, committing)
        uploads = Uploads(
            base.store,
            base.clock,
            base.world.new_id,
            limits=base.settings.imports,
            patience=base.patience,
            wake=importing.wake,
        )
        return cls(uploads=uploads, importing=importing)


def _importing(base: Base, committing: Committing) -> ImportRunner:
    """Build what runs imports beside live traffic."""
    worker = base.new_worker()
    slices = Slices(base.store, base.books, base.world, committing.completer.complete)
    return ImportRunner(
        base.store,
        Importer(base.store, base.books, slices, base.clock, worker),
        base.clock,
        worker=worker,
        metrics=base.metrics,
        keep=timedelta(days=base.settings.retention.import_days),
    )
