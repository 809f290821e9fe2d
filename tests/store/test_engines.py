"""The URL that names a store."""

from __future__ import annotations

import pytest

from adapter.errors import Refused
from adapter.store.engines import open_store
from adapter.store.sqlite.engine import SqliteStore


@pytest.mark.parametrize("url", ["sqlite:///adapter.db", "sqlite:////var/a%20b.db", "sqlite:///:memory:"])
def test_a_file_is_named_relative_or_absolute(url: str) -> None:
    assert isinstance(open_store(url), SqliteStore)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "adapter.db",
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite://host/a.db",
        "sqlite:///dir/",
        "mysql://a/b",
    ],
)
def test_a_wrong_url_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(Refused, match=r"write `sqlite:///adapter\.db`"):
        open_store(url)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(Refused) as refused:
        open_store("mysql://me:secret@host/name")
    assert "secret" not in refused.value.message


async def test_a_store_in_memory_works_like_any_other() -> None:
    store = open_store("sqlite:///:memory:")
    await store.open()
    await store.ping()
    assert (await store.counts())["customers"] == 0
    await store.close()
