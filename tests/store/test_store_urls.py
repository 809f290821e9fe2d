"""The URL that names a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.errors import Refused
from adapter.store import engines
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
        "sqlite:////tmp/a%00b.db",
        "sqlite:////tmp/\udcff.db",
        "mysql://a/b",
    ],
)
def test_a_wrong_url_is_refused_with_the_remedy(url: str) -> None:
    with pytest.raises(Refused, match=r"write `sqlite:///adapter\.db`"):
        open_store(url)


@pytest.mark.parametrize(
    "url", ["mysql://me:secret@host/name", "postgresql://me:12/secret@host/name", "postgresql://h:secret/n"]
)
def test_a_password_is_not_repeated(url: str) -> None:
    with pytest.raises(Refused) as refused:
        open_store(url)
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:se:cret@h1:1,h2:2/n?a=b", "postgresql://me:***@h1:1,h2:2/n?a=b"),
        ("postgresql://h/n?a=b&password=secret&c=d", "postgresql://h/n?a=b&password=***&c=d"),
        (
            "postgresql://h/n?pass%77ord=secret&sslpassword=secret",
            "postgresql://h/n?pass%77ord=***&sslpassword=***",
        ),
        ("postgresql://me:se@cret@h/n", "postgresql://***"),
        ("postgresql://me:12/cret@h/n", "postgresql://***"),
        ("postgresql://me:12#cret@h/n", "postgresql://***"),
        ("postgresql:me:secret@h/n", "postgresql:***"),
        ("mysql://me:secret@h/n", "mysql:***"),
        ("postgresql://me@h:5432/n", "postgresql://me@h:5432/n"),
        ("sqlite:////var/a:b@c.db", "sqlite:////var/a:b@c.db"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert engines.shown(url) == shown


def test_a_file_is_shown_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert engines.shown("sqlite:///data/a%20b.db") == f"sqlite:///{tmp_path}/data/a%20b.db"


async def test_a_store_in_memory_works_like_any_other() -> None:
    store = open_store("sqlite:///:memory:")
    await store.open()
    await store.ping()
    assert (await store.counts())["customers"] == 0
    await store.close()
