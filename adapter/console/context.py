"""What pages and acts use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from adapter.console.authoring import AuthoringServices
from adapter.services.arrivals.feed import Feed
from adapter.services.ingest.pipeline import Ingest
from adapter.services.loaded_files import LoadedFiles
from adapter.services.read_timeout import ReadTimeout
from adapter.settings.values import Settings
from adapter.store.contract import Store
from adapter.web.context import WebContext


class ConsoleContext(Struct, frozen=True):
    """The services of the web, the store, and the files in force. `new_token` returns 256 random bits.

    `operations` takes what came to `POST /v1/evaluate`, when it is replayed.
    `authoring` has the services of the pages on which people work at mappings and rules.
    `feed` is what arrives, for all who watch it.
    """

    web: WebContext
    store: Store
    books: LoadedFiles
    new_token: Callable[[], str]
    operations: Ingest
    authoring: AuthoringServices
    feed: Feed

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.web.settings

    @property
    def patience(self) -> ReadTimeout:
        """The timeout of reads from the store."""
        return ReadTimeout(self.settings.ingest.max_wait_seconds)

    @property
    def rule_names(self) -> list[str]:
        """The names of the rules in force, in order."""
        return sorted(rule.name for rule in self.books.rules.rules)

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return self.web.clock()
