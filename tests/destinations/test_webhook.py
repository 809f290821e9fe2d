"""A webhook endpoint, against a receiver on a real socket that misbehaves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import Raw
from msgspec.structs import replace
from standardwebhooks.webhooks import Webhook

from adapter.destinations.answers import judged, retry_after
from adapter.destinations.contract import Attempt
from adapter.destinations.transport import Answer, GuardedClient
from adapter.destinations.webhook import WebhookDestination
from adapter.model.deliveries import Delivery
from tests.destinations.conftest import webhook

if TYPE_CHECKING:
    from tests.destinations.conftest import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


async def test_the_body_arrives_byte_for_byte_and_verifies(
    endpoint: WebhookDestination, receiver: Receiver, delivery: Delivery, now: datetime
) -> None:
    [attempt] = await endpoint.send([delivery], now)
    assert attempt.ok
    assert attempt.error is None
    (request,) = receiver.requests
    assert request.body == bytes(delivery.body)
    assert request.path == "/hook"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["idempotency-key"] == request.headers["webhook-id"] == delivery.id
    assert Webhook(SECRET).verify(request.body, dict(request.headers))["data"]["code"] == "HV15-ÄÖ✓"


async def test_the_id_is_constant_over_attempts_and_the_timestamp_is_fresh(
    endpoint: WebhookDestination, receiver: Receiver, delivery: Delivery, now: datetime
) -> None:
    receiver.answer = receiver.says(500)
    await endpoint.send([delivery], now - timedelta(seconds=60))
    await endpoint.send([replace(delivery, attempt=2)], now)
    first, second = (request.headers for request in receiver.requests)
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 60
    assert first["webhook-signature"] != second["webhook-signature"]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_is_success(delivery: Delivery, status: int) -> None:
    assert (await _answered(delivery, status)).ok


@pytest.mark.parametrize(
    "status", [301, 302, 307, 308, 400, 401, 404, 408, 410, 422, 429, 500, 502, 503, 504, 599]
)
async def test_nothing_else_is(delivery: Delivery, status: int) -> None:
    attempt = await _answered(delivery, status)
    assert not attempt.ok
    assert attempt.error == f"answered {status}"
    assert attempt.gone is (status == 410)
    assert (attempt.status, attempt.answer) == (status, b"words")


async def test_a_redirect_is_not_followed(
    endpoint: WebhookDestination, receiver: Receiver, delivery: Delivery, now: datetime
) -> None:
    receiver.answer = receiver.says(307, {"Location": receiver.url})
    assert [each.error for each in await endpoint.send([delivery], now)] == ["answered 307"]
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_429_says_when_to_come_back(
    endpoint: WebhookDestination, receiver: Receiver, delivery: Delivery, now: datetime, form: str
) -> None:
    whole = now.replace(microsecond=0)
    moment = format_datetime(whole + timedelta(minutes=2), usegmt=True)
    receiver.answer = receiver.says(429, {"Retry-After": "120" if form == "seconds" else moment})
    [attempt] = await endpoint.send([delivery], whole)
    assert not attempt.ok
    assert attempt.retry_after == timedelta(minutes=2)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("0", timedelta(0)),
        (" 7 ", timedelta(seconds=7)),
        ("86400", timedelta(hours=24)),
        ("999999999", timedelta(seconds=999_999_999)),
        ("Sat, 21 Nov 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Saturday, 21-Nov-26 12:00:30 GMT", timedelta(seconds=30)),  # RFC 850
        ("Sat Nov 21 12:00:30 2026", timedelta(seconds=30)),  # asctime
        ("Sat, 21 Nov 2026 11:00:00 GMT", timedelta(0)),  # past
        ("Sun, 22 Nov 2026 12:00:00 GMT", timedelta(hours=24)),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        ("", None),
        ("9" * 5000, None),
        ("٣", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms(text: str | None, meaning: timedelta | None) -> None:
    assert retry_after(text, NOW) == meaning


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "cut_from"),
    [("86400", None), ("86401", 24), ("2592000", 720), ("Mon, 21 Dec 2026 12:00:00 GMT", 720)],
)
def test_a_pause_of_more_than_a_day_is_cut_and_the_error_says_so(
    status: int, header: str, cut_from: int | None
) -> None:
    """Case D34: `24 h (cut), operator told`."""
    attempt = judged(Answer(status, {"retry-after": header}, b"", whole=True), NOW)
    assert attempt.retry_after == timedelta(hours=24)
    assert attempt.cut is (cut_from is not None)
    said = f"; it asked for a pause of {cut_from} hours, which was cut to 24" if cut_from else ""
    assert attempt.error == f"answered {status}{said}"


@pytest.mark.parametrize("fault", ["resets", "hangs_up", "babbles"])
async def test_a_broken_answer_is_a_failed_attempt_and_is_not_repeated_at_once(
    endpoint: WebhookDestination, receiver: Receiver, delivery: Delivery, now: datetime, fault: str
) -> None:
    receiver.answer = getattr(receiver, fault)
    [attempt] = await endpoint.send([delivery], now)
    assert not attempt.ok
    assert attempt.error is not None
    assert attempt.error.startswith("the connection broke: ")
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("fault", ["silence", "endless headers"])
async def test_a_silent_endpoint_takes_the_timeout_and_no_longer(
    endpoint: WebhookDestination, receiver: Receiver, delivery: Delivery, now: datetime, fault: str
) -> None:
    silence = receiver.late(300, receiver.says(200))
    receiver.answer = silence if fault == "silence" else receiver.never_finishes_its_headers
    async with asyncio.timeout(60):
        [attempt] = await endpoint.send([delivery], now)
    assert attempt.error == "no answer within 1 s"


async def test_a_slow_200_is_a_success(
    endpoint: WebhookDestination, receiver: Receiver, delivery: Delivery, now: datetime
) -> None:
    receiver.answer = receiver.late(0.2, receiver.says(200))
    assert (await endpoint.send([delivery], now))[0].ok


@pytest.mark.parametrize("body", ["drips", "floods"])
@pytest.mark.parametrize("status", [200, 500])
async def test_a_body_that_never_ends_changes_nothing_and_closes_the_connection(
    client: GuardedClient, receiver: Receiver, delivery: Delivery, now: datetime, body: str, status: int
) -> None:
    endpoint = webhook(receiver.url, client)
    receiver.answer = getattr(receiver, body)(status)
    async with asyncio.timeout(60):
        [attempt] = await endpoint.send([delivery], now)
    assert attempt.ok is (status == 200)


async def test_a_short_body_is_read_so_that_the_connection_is_kept(
    endpoint: WebhookDestination, receiver: Receiver, delivery: Delivery, now: datetime
) -> None:
    receiver.answer = receiver.says(200, body=b"x" * 10_000)
    for _ in range(3):
        assert (await endpoint.send([delivery], now))[0].ok
    assert receiver.connections == 1


async def test_a_huge_body_is_not_read(
    client: GuardedClient, receiver: Receiver, delivery: Delivery, now: datetime
) -> None:
    # With the time that a loaded machine may take to copy such a body.
    endpoint = webhook(receiver.url, client, timeout_seconds=60)
    receiver.answer = receiver.says(200, body=b"x" * 50_000_000)
    for _ in range(2):
        assert (await endpoint.send([delivery], now))[0].ok
    assert receiver.connections == 2


async def test_nothing_listens_is_an_answer_too(
    client: GuardedClient, unused_tcp_port_url: str, delivery: Delivery, now: datetime
) -> None:
    endpoint = webhook(unused_tcp_port_url, client)
    [attempt] = await endpoint.send([delivery], now)
    assert attempt.error is not None
    assert attempt.error.startswith("cannot connect: ")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "scheme and a host"),
        ("shop.example/hook", "scheme and a host"),
        ("ftp://shop.example/hook", "scheme and a host"),
        ("https:///hook", "scheme and a host"),
        ("http://shop.example/hook", "not https"),
        ("https://u:pass@shop.example/hook", "a user or a password"),
        ("https://shop.example:port/hook", "cannot be read"),
        ("https://[::1/hook", "cannot be read"),
    ],
)
def test_a_url_that_cannot_work_is_refused_without_being_repeated(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        webhook(url, Answering(200), allow_private_addresses=False)
    assert not url or url not in str(refused.value)


def test_a_destination_without_a_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="`shop` has no signing secret"):
        webhook("https://shop.example/hook", Answering(200), secrets=())


async def test_eight_at_a_time_all_arrive_once(
    endpoint: WebhookDestination, receiver: Receiver, delivery: Delivery, now: datetime
) -> None:
    many = [replace(delivery, id=f"dlv_{n}", event=Raw(f'{{"n":{n}}}'.encode())) for n in range(40)]
    gate = asyncio.Semaphore(8)

    async def one(each: Delivery) -> bool:
        async with gate:
            return (await endpoint.send([each], now))[0].ok

    assert all(await asyncio.gather(*(one(each) for each in many)))
    assert sorted(request.headers["webhook-id"] for request in receiver.requests) == sorted(
        each.id for each in many
    )
    assert receiver.connections <= 8


class Answering:
    """A client that answers with one status."""

    def __init__(self, status: int) -> None:
        self.status = status

    async def request(self, *_: Any, **__: Any) -> Answer:
        return Answer(self.status, {"Location": "https://shop.example/elsewhere"}, b"words", True)


async def _answered(delivery: Delivery, status: int) -> Attempt:
    client = Answering(status)
    endpoint = webhook("https://shop.example/hook", client)
    [attempt] = await endpoint.send([delivery], NOW)
    return attempt
