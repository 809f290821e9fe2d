"""The engines, by the URL that names a store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote

from adapter.errors import Refused
from adapter.model.ids import is_utf8
from adapter.settings import dsn
from adapter.store.postgres.engine import PostgresStore
from adapter.store.sqlite.engine import SqliteStore

_FORMS = (
    "write `sqlite:///adapter.db`, `sqlite:////var/lib/adapter/adapter.db` or `postgresql://user@host/name`"
)


def open_store(url: str) -> SqliteStore | PostgresStore:
    """Return the store that a URL names, not yet opened; raises Refused for a URL that names none.

    `sqlite:///relative/path`, `sqlite:////absolute/path`, `sqlite:///:memory:`, or `postgresql://...` as
    libpq reads it. No message repeats a password, nor anything of a URL that may hold one somewhere.
    """
    scheme, separator, _ = url.partition("://")
    if scheme == "sqlite" and separator:
        return SqliteStore(_path(url))
    if dsn.is_postgresql(url):
        if trouble := dsn.trouble(url):
            raise Refused(f"the store's URL {trouble}: {dsn.REMEDY}")
        return PostgresStore(url, shown(url))
    raise Refused(f"`{shown(url)}` names no store: {_FORMS}")


def shown(url: str) -> str:
    """Return a store's URL as it may be shown: without a password, and a file by its whole path."""
    if dsn.is_postgresql(url):
        return dsn.shown(url)
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        whole = path.startswith("/") or path == ":memory:"
        return url if whole else f"sqlite:///{quote(str(Path.cwd()), safe='/ ')}/{path}"
    scheme, separator, _ = url.partition(":")
    return f"{scheme}:***" if separator and scheme != "sqlite" else url


def _path(url: str) -> str:
    rest = url.removeprefix("sqlite://")
    path = unquote(rest[1:])
    if not rest.startswith("/") or not path or path.endswith("/") or "\0" in path or not is_utf8(path):
        raise Refused(f"`{url}` names no file: {_FORMS}")
    return path
