"""Several hosts in one DSN: one that is dead or only reads is passed over, and costs no time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from adapter.errors import Unavailable
from adapter.store.engines import open_store
from adapter.store.postgres import connection as connections
from adapter.store.postgres.hosts import by_host, first


@pytest.fixture
def store_url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
def mute() -> Iterator[str]:
    """A host that takes connections and never says anything, as a machine that hangs."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize(
    ("dsn", "hosts"),
    [
        ("postgresql://h/n", {"h": "postgresql://h/n"}),
        (
            "postgresql://u:p@h:1,i/n?a=b",
            {"h:1": "postgresql://u:p@h:1/n?a=b", "i": "postgresql://u:p@i/n?a=b"},
        ),
        ("postgres://[::1]:5,[::2]/n", {"[::1]:5": "postgres://[::1]:5/n", "[::2]": "postgres://[::2]/n"}),
        ("postgresql:///n?host=h,i", {"": "postgresql:///n?host=h,i"}),
        ("postgresql://h,i/n?port=1,2", {"": "postgresql://h,i/n?port=1,2"}),
    ],
)
def test_each_host_has_a_dsn_of_its_own(dsn: str, hosts: dict[str, str]) -> None:
    assert by_host(dsn) == hosts


def beside(store_url: str, *hosts: str) -> str:
    """Return the store's DSN with other hosts before its own."""
    scheme, _, rest = store_url.partition("@")
    return f"{scheme}@{','.join(hosts)},{rest}"


async def test_a_host_that_hangs_does_not_hold_up_the_one_that_answers(
    store_url: str, mute: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECT_TIMEOUT", 300)
    store = open_store(beside(store_url, mute, "127.0.0.1:1", mute))
    async with asyncio.timeout(60):
        await store.open()
        await store.ping()
    await store.close()


async def test_without_a_usable_host_the_reason_of_each_is_reported(store_url: str, mute: str) -> None:
    only_reads = f"{store_url}?target_session_attrs=standby"
    with pytest.raises(Unavailable) as told:
        await open_store(beside(only_reads, "127.0.0.1:1", mute)).open()
    port = store_url.rsplit("/", 1)[0].rsplit(":", 1)[1]
    for reason in ("127.0.0.1:1: ", f"{mute}: does not answer; ", f"127.0.0.1:{port}: only reads)"):
        assert reason in told.value.message


async def test_of_two_that_answer_at_once_the_other_is_not_left_open(store_url: str) -> None:
    made: list[Any] = []
    both = asyncio.Event()

    async def attempt() -> Any:
        made.append(connection := await asyncpg.connect(store_url))
        if len(made) == 2:
            both.set()
        await both.wait()
        return connection

    chosen = await first({"a": attempt(), "b": attempt()})
    await asyncio.sleep(0.05)
    assert [each.is_closed() for each in made].count(False) == 1
    assert not chosen.is_closed()
    await chosen.close()


async def test_giving_up_while_hosts_are_tried_leaves_nothing_running(mute: str) -> None:
    before = asyncio.all_tasks()
    opening = asyncio.ensure_future(open_store(f"postgresql://u@{mute},127.0.0.1:1/n").open())
    await asyncio.sleep(0.05)
    opening.cancel()
    await asyncio.wait([opening], timeout=1)
    assert opening.cancelled()
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("parameter", ["nonsense=1", "TimeZone=Nowhere%2FAtAll"])
async def test_an_unsupported_parameter_is_reported_in_one_sentence(store_url: str, parameter: str) -> None:
    with pytest.raises(
        Unavailable, match=r"does not take a parameter of the store's URL \(.*\): leave it out"
    ):
        await open_store(f"{store_url}?{parameter}").open()
