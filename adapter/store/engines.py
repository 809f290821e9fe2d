"""The engines, by the URL that names a store."""

from __future__ import annotations

import re
from urllib.parse import unquote

from adapter.errors import Refused
from adapter.store.postgres.engine import PostgresStore
from adapter.store.sqlite.engine import SqliteStore

_FORMS = (
    "write `sqlite:///adapter.db`, `sqlite:////var/lib/adapter/adapter.db` or `postgresql://user@host/name`"
)
#: A password before the host, or among the parameters; what stands before it is kept.
_PASSWORD = re.compile(r"(://[^:/?#@]*:)[^/?#]*(?=@)|([?&]password=)[^&]*")


def open_store(url: str) -> SqliteStore | PostgresStore:
    """Return the store that a URL names, not yet opened; raises Refused for a URL that names none.

    `sqlite:///relative/path`, `sqlite:////absolute/path`, `sqlite:///:memory:`, or `postgresql://...` as
    libpq reads it.
    """
    scheme, separator, _ = url.partition("://")
    if scheme == "sqlite" and separator:
        return SqliteStore(_path(url))
    if scheme in ("postgresql", "postgres") and separator:
        return PostgresStore(url, without_password(url))
    raise Refused(f"`{without_password(url)}` names no store: {_FORMS}")


def without_password(url: str) -> str:
    """Return a store's URL as it may be shown."""
    return _PASSWORD.sub(lambda found: f"{found[1] or found[2]}***", url)


def _path(url: str) -> str:
    rest = url.removeprefix("sqlite://")
    path = unquote(rest[1:])
    if not rest.startswith("/") or not path or path.endswith("/"):
        raise Refused(f"`{url}` names no file: {_FORMS}")
    return path
