"""The engines, by the URL that names a store."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from adapter.errors import Refused
from adapter.store.postgres.engine import PostgresStore
from adapter.store.sqlite.engine import SqliteStore

_FORMS = (
    "write `sqlite:///adapter.db`, `sqlite:////var/lib/adapter/adapter.db` or `postgresql://user@host/name`"
)


def open_store(url: str) -> SqliteStore | PostgresStore:
    """Return the store that a URL names, not yet opened; raises Refused for a URL that names none.

    `sqlite:///relative/path`, `sqlite:////absolute/path`, `sqlite:///:memory:`, or `postgresql://...` as
    libpq reads it.
    """
    scheme, separator, _ = url.partition("://")
    if scheme == "sqlite" and separator:
        return SqliteStore(_path(url))
    if scheme in ("postgresql", "postgres") and separator:
        return PostgresStore(url, _without_password(url))
    raise Refused(f"`{_without_password(url)}` names no store: {_FORMS}")


def _path(url: str) -> str:
    rest = url.removeprefix("sqlite://")
    path = unquote(rest[1:])
    if not rest.startswith("/") or not path or path.endswith("/"):
        raise Refused(f"`{url}` names no file: {_FORMS}")
    return path


def _without_password(url: str) -> str:
    try:
        password = urlsplit(url).password
    except ValueError:
        return url.partition("://")[0]
    return url.replace(password, "***") if password else url
