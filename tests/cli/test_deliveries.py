"""`adapter deliveries`: what waits and what was given up, also beside a server, and sent again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw
from typer.testing import CliRunner, Result

from adapter.cli.main import commands
from adapter.model.deliveries import ROUND, Delivery, Past, PastAttempt, Pause, Selection
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, DeliveryResult, LoadRequest

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FAR = datetime(2999, 1, 1, tzinfo=UTC)
LINES = [
    "w1 discount.issued of ann to webhook: next at 2026-11-21 12:00:05 UTC, 1 attempt, answered 503",
    "w2 discount.issued of ann to webhook: dead, 1 attempt, answered 410",
    "o1 discount.issued of bob to other: dead, 1 attempt, answered 500",
]


def delivery(id_: str, source_id: str, destination: str) -> Delivery:
    body = Raw(b'{"code":"SECRET-1"}')
    return Delivery(id_, destination, source_id, "discount.issued", body, NOON, NOON)


async def opened(url: str, work: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    store = open_store(url)
    await store.open()
    await work(store)
    await store.close()


async def fill(store: Any) -> None:
    put = [delivery("w1", "ann", "webhook"), delivery("w2", "ann", "webhook"), delivery("o1", "bob", "other")]

    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(), NOON)
        await transaction.save(Changes(NOON, {}, [], {}, [], [], [], [], {}, [], put, []))

    await store.transact(script)
    await store.lease(NOON, NOON + timedelta(minutes=1), 9)
    again = NOON + timedelta(seconds=5)
    await store.settle(
        [
            DeliveryResult("w1", 1, done=False, due_at=again, error="answered 503"),
            DeliveryResult("w2", 1, done=False, error="answered 410"),
            DeliveryResult("o1", 1, done=False, error="answered 500"),
        ]
    )


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with one delivery that waits and one that is dead for webhook, and a dead one for other."""
    url = f"sqlite:///{tmp_path / 'adapter.db'}"
    asyncio.run(opened(url, fill))
    return url


def run(url: str, *options: str) -> Result:
    return CliRunner().invoke(commands, ["deliveries", "--store", url, *options])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], LINES),
        (["--dead"], LINES[1:]),
        (["--destination", "other"], LINES[2:]),
        (["--destination", "webhook", "--dead"], LINES[1:2]),
        (["--limit", "1"], LINES[:2]),
    ],
)
def test_those_that_are_asked_for_are_listed(url: str, options: list[str], expected: list[str]) -> None:
    result = run(url, *options)
    assert (result.exit_code, result.stdout.splitlines()) == (0, expected)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--all", "--destination", "webhook"], [LINES[1], LINES[0]]),
        (["--delivered", "--destination", "other"], ["o1 discount.issued of bob to other: done, 1 attempt"]),
        (["--customer", "ann"], [LINES[1], LINES[0]]),
        (["--customer", "ann", "--dead"], [LINES[1]]),
        (["--customer", "ann", "--limit", "1"], [LINES[1]]),
        (["--customer", "nobody"], []),
        (["--code", "NONE"], []),
    ],
)
def test_those_that_were_made_are_listed_too_newest_first(
    url: str, options: list[str], expected: list[str]
) -> None:
    async def arrive(store: Any) -> None:
        await store.revive(NOON, Selection(ids=("o1",)))
        [pushed] = await store.lease(NOON, NOON + timedelta(minutes=1), 9, "other")
        past = Past((PastAttempt(NOON, pushed.attempt, 200),), pushed.attempt // ROUND, 1)
        await store.settle([DeliveryResult("o1", pushed.attempt, done=True, past=past)])

    asyncio.run(opened(url, arrive))
    result = run(url, *options)
    assert (result.exit_code, result.stdout.splitlines()) == (0, expected)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--all"], "name a destination, a customer or a discount"),
        (["--dead", "--delivered", "--destination", "other"], "leave out either --dead or --delivered"),
    ],
)
def test_a_list_of_nobody_and_of_two_statuses_is_refused(url: str, options: list[str], reason: str) -> None:
    result = run(url, *options)
    assert (result.exit_code != 0, result.stdout) == (True, "")
    assert reason in " ".join(result.stderr.split())


@pytest.mark.parametrize("options", [[], ["--retry-all"], ["--retry", "w2"]])
def test_an_unknown_destination_is_refused(url: str, options: list[str]) -> None:
    result = run(url, "--destination", "webhok", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no destination is named `webhok`" in " ".join(result.stderr.split())
    assert "`webhook`" in result.stderr
    assert [each["id"] for each in json.loads(run(url, "--dead", "--json").stdout)] == ["w2", "o1"]


@pytest.mark.parametrize(("name", "code"), [("webhook", 0), ("nowhere", 2)])
def test_in_an_empty_store_destinations_are_those_of_the_settings(
    tmp_path: Path, name: str, code: int
) -> None:
    url = f"sqlite:///{tmp_path / 'adapter.db'}"
    assert CliRunner().invoke(commands, ["store", "migrate", "--store", url]).exit_code == 0
    assert run(url, "--destination", name).exit_code == code


def test_a_destination_whose_pushes_have_all_arrived_is_known(url: str) -> None:
    async def arrive(store: Any) -> None:
        await store.revive(NOON, Selection(ids=("o1",)))
        await store.lease(NOON, NOON + timedelta(minutes=1), 9)
        [pushed] = await store.deliveries("due", 9, "other")
        assert await store.settle([DeliveryResult("o1", pushed.attempt, done=True)]) == 1

    asyncio.run(opened(url, arrive))
    result = run(url, "--destination", "other")
    assert (result.exit_code, result.stdout) == (0, "")


def test_programs_get_all_but_the_body(url: str) -> None:
    told = run(url, "--json").stdout
    assert "SECRET" not in told
    assert json.loads(told)[0] == {
        "id": "w1", "status": "due", "destination": "webhook", "type": "discount.issued", "source_id": "ann",
        "attempts": 1, "created_at": "2026-11-21T12:00:00Z", "next_at": "2026-11-21T12:00:05Z",
        "paused_until": None, "last_error": "answered 503", "history": [],
    }  # fmt: skip
    assert [each["next_at"] for each in json.loads(told)[1:]] == [None, None]


@pytest.mark.parametrize(
    ("options", "code", "told", "dead"),
    [
        (["--retry", "w2"], 0, "1 delivery waits again", ["o1"]),
        (["--retry", "w2", "--retry", "o1"], 0, "2 deliveries wait again", []),
        (["--retry", "w1"], 1, "0 deliveries wait again", ["w2", "o1"]),
        (["--retry-all"], 0, "2 deliveries wait again", []),
        (["--retry-all", "--destination", "other"], 0, "1 delivery waits again", ["w2"]),
    ],
)
def test_dead_ones_wait_again(url: str, options: list[str], code: int, told: str, dead: list[str]) -> None:
    result = run(url, *options)
    assert (result.exit_code, result.stdout) == (code, f"{told}\n")
    assert [each["id"] for each in json.loads(run(url, "--dead", "--json").stdout)] == dead


@pytest.fixture
def paused(url: str) -> str:
    """The same store, in which both destinations asked for a pause."""

    async def pause(store: Any) -> None:
        for name in ("webhook", "other"):
            await store.pause(Pause(name, NOON, FAR, "answered 410"))

    asyncio.run(opened(url, pause))
    return url


def test_a_list_names_pauses_and_their_ends(paused: str) -> None:
    lines = run(paused, "--destination", "webhook").stdout.splitlines()
    assert lines == ["webhook is paused until 2999-01-01 00:00:00 UTC: answered 410", *LINES[:2]]
    plain = json.loads(run(paused, "--json").stdout)
    assert {each["paused_until"] for each in plain} == {"2999-01-01T00:00:00Z"}


def test_retrying_all_ends_pauses_and_names_them(paused: str) -> None:
    result = run(paused, "--retry-all", "--destination", "webhook")
    assert result.stdout.splitlines() == [
        "1 delivery waits again",
        "webhook is sent to again; it was paused until 2999-01-01 00:00:00 UTC: answered 410",
    ]
    rest = json.loads(run(paused, "--retry-all", "--json").stdout)
    assert (rest["retried"], [each["destination"] for each in rest["resumed"]]) == (1, ["other"])
    assert "paused" not in run(paused).stdout


def test_retrying_one_names_the_pause_that_it_waits_for(paused: str) -> None:
    lines = run(paused, "--retry", "w2", "--destination", "webhook").stdout.splitlines()
    assert lines[1] == "webhook is paused until 2999-01-01 00:00:00 UTC: answered 410"
    assert "webhook is paused" in run(paused).stdout


def test_while_a_server_runs_deliveries_are_listed_and_a_retry_is_refused(url: str) -> None:
    async def beside(_: Any) -> None:
        listed = await asyncio.to_thread(run, url)
        assert listed.stdout.splitlines() == LINES
        retried = await asyncio.to_thread(run, url, "--retry-all")
        assert (retried.exit_code, retried.stdout) == (1, "")
        assert "is in use by process" in retried.stderr
        assert "ask that server: POST /v1/deliveries/retries" in retried.stderr

    asyncio.run(opened(url, beside))


def test_a_missing_store_is_not_created(tmp_path: Path) -> None:
    result = run(f"sqlite:///{tmp_path / 'none.db'}")
    assert result.exit_code == 1
    assert "there is no store at" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_one_and_all_together_are_refused(url: str) -> None:
    assert run(url, "--retry", "w2", "--retry-all").exit_code == 2
