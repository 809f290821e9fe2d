"""What every area is built on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Self

from msgspec import Struct

from adapter.metrics import Metrics
from adapter.services.bulk.local import worker_name
from adapter.services.environment import Environment
from adapter.services.loaded_files import LoadedFiles, placeholders, read_files
from adapter.services.read_timeout import ReadTimeout
from adapter.settings.values import Settings
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.web.in_force import InForce


class Base(Struct, frozen=True, kw_only=True):
    """The settings, the store, the files in force, the world outside, and the metrics.

    `settings` are those of the start; `in_force` has those of the latest reload. `patience` is the timeout of
    reads from the store.
    """

    settings: Settings
    in_force: InForce
    store: Store
    books: LoadedFiles
    world: Environment
    metrics: Metrics
    patience: ReadTimeout

    @classmethod
    def of(cls, settings: Settings, store: Store | None, world: Environment, metrics: Metrics) -> Self:
        """Read the files, and open nothing yet. Raises InvalidFiles, or ValueError for a store's url."""
        return cls(
            settings=settings,
            store=store or open_store(settings.store.url),
            books=read_files(settings, placeholders(settings)),
            in_force=InForce.of(settings),
            world=world,
            metrics=metrics,
            patience=ReadTimeout(settings.ingest.max_wait_seconds),
        )

    @property
    def clock(self) -> Callable[[], datetime]:
        """Returns the current time in UTC."""
        return self.world.clock

    def new_worker(self) -> str:
        """Return a new name for a task of this process, as leases in the store have it."""
        return f"{worker_name()}:{self.world.new_id()}"
