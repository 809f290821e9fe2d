"""What pages and acts use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from adapter.services.loaded_files import LoadedFiles
from adapter.settings.values import Settings
from adapter.store.contract import Store
from adapter.web.context import WebContext


class ConsoleContext(Struct, frozen=True):
    """The services of the web, the store, and the files in force. `new_token` returns 256 random bits."""

    web: WebContext
    store: Store
    books: LoadedFiles
    new_token: Callable[[], str]

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.web.settings

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return self.web.clock()
