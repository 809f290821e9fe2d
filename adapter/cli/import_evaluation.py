"""How many discounts an import with `--evaluate` would issue: it runs into a store that is thrown away."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from adapter import app
from adapter.model.imports import ImportJob
from adapter.services.bulk import local
from adapter.services.bulk.importer import Importer
from adapter.services.bulk.slices import Slices
from adapter.services.environment import Environment
from adapter.services.loaded_files import LoadedFiles
from adapter.settings.values import Settings

#: Records of a slice; those that are evaluated are decided one by one.
_SLICE = 2_000


async def sentence(settings: Settings, files: LoadedFiles, job: ImportJob, source: local.Source) -> str:
    """Return what the rules would issue over a file, for people; standard input is read once only."""
    if source.is_input:
        return "how many discounts would be issued cannot be said of standard input: name a file"
    count = await _issued(settings, files, job, source)
    discounts = "discount" if count == 1 else "discounts"
    return f"the rules would issue {count:,} {discounts}, if the store had nothing of these customers yet"


async def _issued(settings: Settings, files: LoadedFiles, job: ImportJob, source: local.Source) -> int:
    with TemporaryDirectory(prefix="adapter-preview-") as place:  # only this user may read it
        url = f"sqlite:///{Path(place) / 'preview.db'}"
        composed = app.compose(replace(settings, store=replace(settings.store, url=url)))
        composed.books.mappings, world = files.mappings, Environment()
        slices = Slices(composed.store, composed.books, world, composed.completer.complete)
        importer = Importer(composed.store, composed.books, slices, world.clock, local.worker_name())
        async with composed.working():
            begun = await local.begin(composed.store, job, restart=True, alone=True)
            await local.run(
                composed.store, importer, begun, source, clock=world.clock, report=_untold, size=_SLICE
            )
            return (await composed.store.counts())["discounts"]


async def _untold(_job: ImportJob) -> None:
    """Show no progress."""
