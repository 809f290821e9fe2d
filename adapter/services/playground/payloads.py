"""What a draft is tried on: a message of the journal, a fixture of the project, an example of the package."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from adapter.errors import NotFound, Refused
from adapter.files.folders import visible
from adapter.model.journal import JournalEntry
from adapter.services.authoring import examples
from adapter.services.loaded_files import HasSettings
from adapter.services.read_timeout import ReadTimeout
from adapter.sources.registry import SOURCES
from adapter.store.contract import Store

#: Rows of the journal that one search looks through, and those of one read.
MOST_ROWS = 1_000
_PAGE = 100
#: Fixtures that are listed, and bytes of one.
_MOST_FIXTURES = 300
_LARGEST = 256_000

Origin = Literal["message", "quarantine", "fixture", "example"]


class FoundPayload(Struct, frozen=True):
    """A payload as its source sends it: `text` is JSON. `names` are ids of people that the journal noted."""

    origin: Origin
    name: str
    source: str
    text: str
    names: tuple[str, ...] = ()


class SearchedTo(Struct, frozen=True):
    """The message is not among those that were looked through; the search can go on from `before`.

    `at` is when the oldest of them was received; both are None where the journal ends there.
    """

    message_id: str
    at: datetime | None = None
    before: int | None = None


class Payloads:
    """Finds payloads. `patience` bounds each search of the journal."""

    def __init__(
        self,
        store: Store,
        of: HasSettings,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        patience: ReadTimeout,
    ) -> None:
        self._store = store
        self._of = of
        self._clock = clock
        self._new_id = new_id
        self._read = patience.read

    def fixtures(self) -> list[str]:
        """Return the paths of fixtures, those in `fixtures/` beside the folder of mappings and in it."""
        return [str(path) for path in self._fixtures()][:_MOST_FIXTURES]

    def examples(self) -> list[str]:
        """Return the examples of the package as `SOURCE/NAME`."""
        return [f"{source}/{name}" for source in SOURCES for name in examples.names(source)]

    def fixture(self, name: str) -> FoundPayload:
        """Return a fixture; raises NotFound, and Refused for a large one."""
        path = next((path for path in self._fixtures() if str(path) == name), None)
        if path is None:
            raise NotFound(f"no fixture is named `{name[:200]}`")
        if path.stat().st_size > _LARGEST:
            raise Refused(f"{path} has more than {_LARGEST:,} bytes: paste a part of it")
        return FoundPayload("fixture", name, "", path.read_text(encoding="utf-8", errors="replace"))

    def example(self, name: str) -> FoundPayload:
        """Return an example as if it happened now; raises NotFound."""
        source, _, title = name.partition("/")
        if name not in self.examples():
            raise NotFound(f"no example is named `{name[:200]}`")
        made = examples.example(source, title, self._clock(), self._new_id)
        return FoundPayload("example", name, source, msgspec.json.format(made, indent=2).decode())

    async def quarantined(self, id_: int) -> FoundPayload:
        """Return a quarantined message; raises NotFound, Refused and Unavailable."""
        kept = await self._read(self._store.quarantined_message(id_))
        if kept is None:
            raise NotFound(f"there is no message {id_} in quarantine; it was replayed or deleted")
        document = msgspec.json.decode(kept.document)
        if isinstance(document, dict) and isinstance(document.get("messageId"), str):
            # Its own id was seen when it came, so it would be a duplicate: a replay has another id, too.
            document["messageId"] += f"#replay-{id_}"
        known = isinstance(document, dict) and kept.source in SOURCES
        body = SOURCES[kept.source].recorded(document) if known else None
        text = msgspec.json.format(msgspec.json.encode(document if body is None else body), indent=2)
        source = kept.source if kept.source in SOURCES else ""
        return FoundPayload("quarantine", str(id_), source, text.decode(), tuple(sorted(kept.names())))

    async def message(self, message_id: str, before: int | None = None) -> FoundPayload | SearchedTo:
        """Return a message of the journal, or how far it was searched for; raises Refused and Unavailable."""
        return await self._read(self._searched(message_id, before))

    async def _searched(self, message_id: str, before: int | None) -> FoundPayload | SearchedTo:
        at = None
        for _ in range(MOST_ROWS // _PAGE):
            rows = await self._store.latest_journal(before, _PAGE)
            for row in rows:
                for entry in reversed(row.entries()):
                    if message_id in (entry.message_id, entry.key) and entry.outcome != "refused":
                        return _found(entry)
            if len(rows) < _PAGE:
                return SearchedTo(message_id)
            before, at = rows[-1].number, rows[-1].at
        return SearchedTo(message_id, at, before)

    def _fixtures(self) -> list[Path]:
        mappings = Path(self._of.settings.files.mappings)
        folders = (mappings.parent / "fixtures", mappings)
        return [path for folder in folders for path in visible(folder, "**/*.json")]


def _found(entry: JournalEntry) -> FoundPayload:
    message = entry.message()
    body = SOURCES[entry.source].recorded(message.document) if message and entry.source in SOURCES else None
    if body is None:
        raise Refused(f"message `{entry.message_id}` cannot be sent again: it was no call or event of a CDP")
    text = msgspec.json.format(msgspec.json.encode(body), indent=2).decode()
    names = sorted({*entry.quarantined().names(), *entry.names})
    return FoundPayload("message", entry.message_id, entry.source, text, tuple(names))
