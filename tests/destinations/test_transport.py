"""The guarded way out: what was checked is what is connected to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from adapter.destinations.transport import CONNECTS, ForbiddenAddress, RequestFailed, guarded_client
from adapter.model.deliveries import Delivery
from tests.destinations.conftest import webhook

if TYPE_CHECKING:
    from tests.destinations.conftest import Receiver


class Names:
    """A name server that gives the answers of a list in turn, the last one for ever."""

    def __init__(self, *answers: Iterable[str]) -> None:
        self._answers = [list(answer) for answer in answers]
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "127.1",
        "2130706433",
        "0x7f000001",
    ],
)
async def test_no_spelling_of_this_machine_is_reached(receiver: Receiver, host: str) -> None:
    """The system's own resolver reads all of these as loopback."""
    async with guarded_client(allow_http=True) as client:
        with pytest.raises(RequestFailed):
            await client.request("POST", f"http://{host}:{receiver.port}/hook")
    assert receiver.connections == 0


async def test_the_same_machine_is_reached_when_private_addresses_are_allowed(receiver: Receiver) -> None:
    async with guarded_client(allow_http=True, allow_private=True) as client:
        assert (await client.request("POST", receiver.url)).status == 200


async def test_a_metadata_service_is_refused_even_then() -> None:
    async with guarded_client(allow_http=True, allow_private=True) as client:
        with pytest.raises(ForbiddenAddress, match="a metadata service"):
            await client.request("GET", "http://169.254.169.254/latest/meta-data/")


async def test_a_name_that_turns_bad_between_two_lookups_is_asked_only_once_a_connection(
    receiver: Receiver,
) -> None:
    """DNS rebinding: the answer that was checked is the answer that is used."""
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    async with guarded_client(allow_http=True, allow_private=True, resolver=names) as client:
        url = f"http://rebound.test:{receiver.port}/hook"
        assert (await client.request("POST", url)).status == 200
        assert names.asked == ["rebound.test"]
        receiver.answer = receiver.says(200, {"Connection": "close"})
        await client.request("POST", url)
        with pytest.raises(ForbiddenAddress, match=r"169\.254\.169\.254, a metadata service"):
            await client.request("POST", url)


async def test_one_bad_address_among_good_ones_refuses_the_name(receiver: Receiver) -> None:
    names = Names(["127.0.0.1", "169.254.169.254"])
    async with guarded_client(allow_http=True, allow_private=True, resolver=names) as client:
        with pytest.raises(ForbiddenAddress):
            await client.request("POST", f"http://mixed.test:{receiver.port}/hook")
    assert receiver.connections == 0


async def test_the_next_address_is_tried_when_the_first_refuses(receiver: Receiver) -> None:
    names = Names(["127.0.0.2", "127.0.0.1"])
    async with guarded_client(allow_http=True, allow_private=True, resolver=names) as client:
        assert (await client.request("POST", f"http://two.test:{receiver.port}/hook")).status == 200
    assert receiver.requests[0].headers["host"] == f"two.test:{receiver.port}"


async def test_a_name_without_addresses_cannot_be_connected_to() -> None:
    async with guarded_client(resolver=Names([])) as client:
        with pytest.raises(RequestFailed, match="no address"):
            await client.request("GET", "https://nowhere.test/")


async def test_a_refused_connection_is_tried_three_times_in_quick_succession(
    unused_tcp_port_url: str,
) -> None:
    names = Names(["127.0.0.1"])
    async with guarded_client(allow_http=True, allow_private=True, resolver=names) as client:
        with pytest.raises(RequestFailed, match="cannot connect"):
            await client.request("POST", unused_tcp_port_url.replace("127.0.0.1", "shut.test"))
    assert names.asked == ["shut.test"] * CONNECTS


async def test_a_connection_that_opens_at_the_second_try_sends_once(receiver: Receiver) -> None:
    names = Names(["127.0.0.2"], ["127.0.0.1"])
    async with guarded_client(allow_http=True, allow_private=True, resolver=names) as client:
        answer = await client.request("POST", f"http://late.test:{receiver.port}/hook", body=b"{}")
    assert answer.status == 200
    assert [request.body for request in receiver.requests] == [b"{}"]


async def test_no_header_is_added_that_was_not_given(receiver: Receiver) -> None:
    async with guarded_client(allow_http=True, allow_private=True) as client:
        await client.request("POST", receiver.url, body=b"{}", headers={"content-type": "application/json"})
    assert set(receiver.requests[0].headers) == {"host", "accept", "content-type", "content-length"}


async def test_plain_http_is_refused_unless_allowed(receiver: Receiver) -> None:
    async with guarded_client(allow_private=True) as client:
        with pytest.raises(ForbiddenAddress, match="not https"):
            await client.request("POST", receiver.url)
    assert receiver.connections == 0


async def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a proxy, the proxy would resolve the name."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with guarded_client(allow_http=True, allow_private=True) as client:
        assert (await client.request("POST", receiver.url)).status == 200


async def test_concurrent_look_ups_at_a_dead_name_server_share_one_request() -> None:
    asked = 0

    async def silent(host: str, port: int) -> list[str]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.6)
        raise OSError("no name server answers")

    async with guarded_client(resolver=silent) as client:
        waiting = [
            client.request("GET", "https://slow.test/", timeout=timedelta(seconds=0.05)) for _ in range(8)
        ]
        errors = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(error) for error in errors} == {RequestFailed}
        with pytest.raises(RequestFailed, match="cannot be resolved"):
            await client.request("GET", "https://slow.test/", timeout=timedelta(seconds=5))
        assert asked == 1 + (CONNECTS - 1), "the last request alone asks again"


async def test_tls_is_checked_against_the_name_not_the_address(
    secure: tuple[Receiver, ssl.SSLContext],
) -> None:
    receiver, trusting = secure
    names = Names(["127.0.0.1"])
    async with guarded_client(allow_private=True, verify=trusting, resolver=names) as client:
        assert (await client.request("POST", f"https://hooks.test:{receiver.port}/")).status == 200
        with pytest.raises(RequestFailed, match="CERTIFICATE_VERIFY_FAILED"):
            await client.request("POST", f"https://other.test:{receiver.port}/")


async def test_an_untrusted_certificate_fails_the_attempt(
    secure: tuple[Receiver, ssl.SSLContext], delivery: Delivery, now: datetime
) -> None:
    receiver, _ = secure
    async with guarded_client(allow_private=True, resolver=Names(["127.0.0.1"])) as client:
        url = f"https://hooks.test:{receiver.port}/"
        attempt = (await webhook(url, client).send([delivery], now))[0]
    assert attempt.error is not None
    assert "CERTIFICATE_VERIFY_FAILED" in attempt.error
    assert receiver.requests == []


async def test_a_forbidden_destination_is_a_failed_attempt_that_says_why(
    receiver: Receiver, delivery: Delivery, now: datetime
) -> None:
    async with guarded_client(allow_http=True) as client:
        endpoint = webhook(receiver.url, client)
        [attempt] = await endpoint.send([delivery], now)
    assert attempt.error == "the destination's host resolves to 127.0.0.1, a private address"
    assert receiver.connections == 0


async def test_connections_that_never_rest_are_renewed_and_the_name_looked_up_again(
    receiver: Receiver,
) -> None:
    names = Names(["127.0.0.1"])
    url = f"http://hooks.test:{receiver.port}/"
    async with guarded_client(allow_http=True, allow_private=True, resolver=names) as client:
        for _ in range(3):
            assert (await client.request("POST", url)).status == 200
    assert (receiver.connections, names.asked) == (1, ["hooks.test"])
    young = guarded_client(allow_http=True, allow_private=True, resolver=names, ages=(0, 0))
    async with young as client:
        for _ in range(3):
            assert (await client.request("POST", url)).status == 200
    assert (receiver.connections, names.asked) == (4, ["hooks.test"] * 4)


@pytest.mark.parametrize(("status", "age", "connections"), [(503, 0.0, 3), (503, 60.0, 1), (429, 0.0, 1)])
async def test_after_a_5xx_the_name_is_looked_up_again(
    receiver: Receiver, status: int, age: float, connections: int
) -> None:
    receiver.answer = receiver.says(status)
    names = Names(["127.0.0.1"])
    ages = (60.0, age)
    async with guarded_client(allow_http=True, allow_private=True, resolver=names, ages=ages) as client:
        for _ in range(3):
            assert (await client.request("POST", f"http://hooks.test:{receiver.port}/")).status == status
    assert (receiver.connections, len(names.asked)) == (connections, connections)


async def test_a_request_in_progress_keeps_its_connection_when_others_are_renewed(receiver: Receiver) -> None:
    slow, released = receiver.says(200, body=b"late"), asyncio.Event()

    async def waits(writer: asyncio.StreamWriter) -> None:
        await released.wait()
        await slow(writer)

    async with guarded_client(allow_http=True, allow_private=True, ages=(0, 0)) as client:
        receiver.answer = waits
        first = asyncio.create_task(client.request("POST", receiver.url))
        async with asyncio.timeout(60):
            while not receiver.requests:  # noqa: ASYNC110 - the receiver has no event
                await asyncio.sleep(0.001)
        receiver.answer = receiver.says(200)
        assert (await client.request("POST", receiver.url)).status == 200
        released.set()
        assert (await first).body == b"late"
    assert receiver.connections == 2
