"""The stream of events over HTTP: what it says, for whom, and when it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from adapter.console.live_events import rows_of
from adapter.console.visitor import Visitor
from adapter.services.arrivals.feed import FeedBatch
from adapter.services.arrivals.listed import ListedMessage, PersonName
from adapter.settings.values import Console, Settings
from tests.acceptance.conftest import Server, StartServer
from tests.console.hostile import became_markup
from tests.console.signing_in import READ, TOKENS, post, visitor
from tests.databases import SharedServer

WEBHOOK = "/webhooks/segment"
STREAM = "/console/events/stream?after=0"
WRITES = {"ADAPTER_SEGMENT_WRITE_KEYS": "key"}


def send(server: Server, id_: str, **members: Any) -> None:
    body = {"type": "track", "event": "Checkout Started", "messageId": id_, "userId": "u", **members}
    httpx.post(f"{server.url}{WEBHOOK}", json=body).raise_for_status()


def rows(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Yield the data of the events of a stream."""
    return (msgspec.json.decode(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))


def newest(client: httpx.Client) -> int:
    found = client.get("/console/events.json").json()
    return int(found["messages"]["newest"])


def test_rows_are_sent_as_messages_arrive_and_the_stream_goes_on_behind_the_last(console: Server) -> None:
    with visitor(console.url) as client:
        after = newest(client)
        with client.stream("GET", "/console/events/stream", params={"after": after}) as answer:
            lines = answer.iter_lines()
            assert next(lines) == ": follows"
            send(console, "stream-1")
            first = next(rows(lines))
        send(console, "stream-2")
        with client.stream("GET", "/console/events/stream", params={"after": first["last"]}) as again:
            second = next(rows(again.iter_lines()))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")
    assert (first["count"], "stream-1" in first["html"]) == (1, True)
    assert ("stream-1" in second["html"], "stream-2" in second["html"]) == (False, True)


def test_a_filter_that_cannot_be_read_is_refused(console: Server) -> None:
    with visitor(console.url) as client:
        answer = client.get("/console/events/stream", params={"after": 0, "q": "outcome:lost"})
    assert (answer.status_code, "no outcome" in answer.text) == (400, True)


def test_whoever_is_not_signed_in_gets_no_stream(start_console: StartServer) -> None:
    server = start_console(**TOKENS)
    with visitor(server.url) as stranger:
        assert stranger.get("/console/events/stream?after=0").status_code == 303
    with (
        visitor(server.url, READ) as reader,
        reader.stream("GET", "/console/events/stream?after=0") as answer,
    ):
        assert answer.status_code == 200


@pytest.fixture
def processes(start_console: StartServer, postgres_server: SharedServer) -> Iterator[list[Server]]:
    """Two processes over one PostgreSQL database, as worker processes are: each has its own port here."""
    with postgres_server.store() as store:
        yield [start_console(store=store, **TOKENS, **WRITES) for _ in range(2)]


def test_what_one_process_took_appears_in_the_stream_of_another(processes: list[Server]) -> None:
    taking, showing = processes
    with visitor(showing.url, READ) as client:
        after = newest(client)
        with client.stream("GET", "/console/events/stream", params={"after": after}) as answer:
            lines = answer.iter_lines()
            assert next(lines) == ": follows"
            seen = rows(lines)
            for number in range(3):
                event = {"event": "Checkout Started", "messageId": f"m-{number}", "userId": "u"}
                httpx.post(f"{taking.url}/v1/track", json=event, auth=("key", "")).raise_for_status()
                assert f"m-{number}" in next(seen)["html"]


def test_a_sign_out_at_one_process_ends_the_stream_of_another(processes: list[Server]) -> None:
    leaving, showing = processes
    with visitor(showing.url, READ) as client, client.stream("GET", STREAM) as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": follows"
        with httpx.Client(base_url=leaving.url, cookies=client.cookies) as other:
            assert post(other, "/console/sign-out", {}).status_code == 303
        assert list(filter(None, lines)) == ["event: ended", "data: signed out"]


def test_a_server_that_stops_ends_its_streams_itself(start_console: StartServer) -> None:
    server = start_console()
    with visitor(server.url) as client, client.stream("GET", "/console/events/stream?after=0") as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": follows"
        server.stop()
        assert not any(list(lines))  # a stream that is cut off raises


NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MARKUP = '<evil>"><evil hx-get=//evil>'


def hostile_message() -> ListedMessage:
    return ListedMessage(
        f'"{MARKUP}', NOON, MARKUP, "quarantined", f"no {MARKUP} ann@x.example", MARKUP,
        MARKUP, MARKUP, PersonName("email", "ann@x.example"), 2, (MARKUP,), False,
    )  # fmt: skip


class Shown:
    """The part of a context that rows need."""

    settings = Settings(console=Console(mask=("email",)))

    def now(self) -> datetime:
        return NOON


def row_of(role: Any) -> str:
    shown: Any = Shown()
    batch = FeedBatch([hostile_message()], 0, 0, 1)
    return rows_of(shown, MARKUP, Visitor("ann", role, ""), batch).html


def test_markup_in_messages_is_text_in_rows_that_arrive() -> None:
    assert became_markup(f"<table><tbody>{row_of('admin')}</tbody></table>") == []
    assert "&lt;evil&gt;" in row_of("admin")


@pytest.mark.parametrize(("role", "seen"), [("read", False), ("operate", True)])
def test_addresses_are_masked_in_rows_that_arrive_for_the_role_read(role: str, seen: bool) -> None:
    assert ("ann@x.example" in row_of(role)) == seen
