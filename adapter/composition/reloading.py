"""What replaces files and settings while the server runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from msgspec import Struct

from adapter.composition.services import Services
from adapter.mapping.placeholders import Placeholders
from adapter.services.background.file_watcher import FileWatcher
from adapter.services.background.reload import Reload
from adapter.services.background.settings_reload import SettingsReload
from adapter.services.loaded_files import FilesFit, FilesInForce, placeholders
from adapter.settings.values import Settings
from adapter.web.application import Application
from adapter.web.in_force import WebReload


class Reloading(Struct, frozen=True, kw_only=True):
    """`files` reads mappings and rules again when they change, and `settings` the settings on request."""

    files: Reload
    settings: SettingsReload

    @classmethod
    def of(cls, services: Services, application: Application, reread: Callable[[], Settings] | None) -> Self:
        """Build both; `reread` reads the settings, after which the files are read too."""
        watcher, known = _watcher(services), placeholders(services.base.settings)
        return cls(
            files=_files(services, watcher, known),
            settings=_settings(services, application, reread, known, then=watcher.request),
        )


def _watcher(services: Services) -> FileWatcher:
    """Build what watches mappings, and rules where this process decides by them."""
    files = services.base.settings.files
    return FileWatcher([files.mappings] if services.committing.remote else [files.mappings, files.rules])


def _files(services: Services, watcher: FileWatcher, known: Placeholders) -> Reload:
    """Build what reads the files again when the watcher sees a change."""
    base = services.base
    reader = FilesInForce(base.in_force, known)
    return Reload(base.books, reader.read, watcher.changes, services.health, base.metrics)


def _settings(
    services: Services,
    application: Application,
    reread: Callable[[], Settings] | None,
    known: Placeholders,
    *,
    then: Callable[[], None],
) -> SettingsReload:
    """Build what reads the settings again: parts are built anew, and followers read their values."""
    base, ingest, bulk = services.base, services.ingest, services.bulk
    return SettingsReload(
        base.in_force,
        reread,
        parts=[
            FilesFit(base.in_force, known),
            services.delivery.reload,
            WebReload(base.in_force, application.rebuild),
        ],
        followers=[
            ingest.mapper,
            ingest.operation_mapper,
            services.committing.transactions,
            services.sweeps,
            ingest.ignored,
            bulk.importing,
            bulk.uploads,
        ],
        then=then,
    )
