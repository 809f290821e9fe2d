"""Destinations are exchanged while the server runs: new secrets, new ones, removed ones, and errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from standardwebhooks.webhooks import Webhook

from adapter.app import compose
from adapter.destinations.core import CoreDestination
from adapter.destinations.registry import configured
from adapter.metrics import Metrics
from adapter.services.background.settings_reload import Part, SettingsReload
from adapter.services.delivery.dispatcher import Dispatcher
from adapter.services.delivery.reload import DestinationsReload
from adapter.services.periodic import until_stopped
from adapter.settings.load import load
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.web.in_force import InForce, WebReload
from tests.destinations.conftest import Receiver
from tests.services.outbox_doubles import delivery, put

OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_" + "A" * 32
SECTION = """
[destinations.{name}]
type = "webhook"
url = "{url}"
allow_private_addresses = true
secrets = [{{file = "{secret}"}}]
"""


class Server:
    """A dispatcher with its destinations, as a server runs it, over settings in a file."""

    def __init__(self, folder: Path, receiver: Receiver, store: Store) -> None:
        self._folder = folder
        self._receiver = receiver
        self.store = store
        self.secret = folder / "secret"
        self.secret.write_text(f"{OLD}\n")
        self.reread = 0

    def write(self, *names: str, also: str = "") -> None:
        """Write the settings with these destinations."""
        sections = (
            SECTION.format(name=name, url=f"{self._receiver.url}/{name}", secret=self.secret)
            for name in names
        )
        (self._folder / "adapter.toml").write_text("".join(sections) + also)

    async def start(self, stack: AsyncExitStack) -> None:
        settings = load(self._folder / "adapter.toml", {})
        self.in_use = configured(settings.destinations)
        for client in self.in_use.clients:
            await stack.enter_async_context(client)
        self.dispatcher = Dispatcher(
            self.store, self.in_use.by_name, lambda: datetime.now(UTC), lambda: 0.5, Metrics(),
            manners=self.in_use.manners,
        )  # fmt: skip
        destinations = DestinationsReload(settings.destinations, self.in_use, self.dispatcher)
        await stack.enter_async_context(destinations.clients)
        self.in_force = InForce(settings)
        self.reload = SettingsReload(
            self.in_force,
            lambda: load(self._folder / "adapter.toml", {}),
            [destinations, WebReload(self.in_force, lambda: None)],
            [],
            self._then,
        )
        await stack.enter_async_context(until_stopped(self.dispatcher.run, self.reload.run))

    def _then(self) -> None:
        self.reread += 1

    async def push(self, id_: str, name: str) -> None:
        """Store a delivery and wait until it is not due any more."""
        await put(self.store, [replace(delivery(id_, name), due_at=datetime.now(UTC))])
        self.dispatcher.wake()
        await until(lambda: self._is_over(name))

    async def _is_over(self, name: str) -> bool:
        return not await self.store.deliveries("due", 9, name)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - the store knows no event
            await asyncio.sleep(0.01)


@pytest.fixture
async def server(receiver: Receiver, tmp_path: Path) -> AsyncIterator[Server]:
    async with AsyncExitStack() as stack:
        store = open_store(f"sqlite:///{tmp_path / 'adapter.db'}")
        await store.open()
        stack.push_async_callback(store.close)
        server = Server(tmp_path, receiver, store)
        server.write("crm")
        await server.start(stack)
        yield server


async def test_a_new_secret_signs_the_deliveries_after_a_reload(server: Server, receiver: Receiver) -> None:
    await server.push("before", "crm")
    server.secret.write_text(NEW)
    assert await server.reload.reload()
    await server.push("after", "crm")
    for request, secret in zip(receiver.requests, (OLD, NEW), strict=True):
        Webhook(secret).verify(request.body, dict(request.headers))


async def test_destinations_are_added_and_removed(server: Server, receiver: Receiver) -> None:
    server.write("shop")
    assert await server.reload.reload()
    assert (list(server.in_use.by_name), server.in_use.recipients.of("discount.issued")) == (["shop"],) * 2
    await server.push("d", "shop")
    assert [request.path for request in receiver.requests] == ["/hook/shop"]
    assert server.in_force.settings.destinations.names >= {"shop"}


async def test_a_request_in_progress_is_finished_and_recorded(server: Server, receiver: Receiver) -> None:
    receiver.answer = receiver.late(0.5, receiver.says(200))
    await put(server.store, [replace(delivery("slow", "crm"), due_at=datetime.now(UTC))])
    server.dispatcher.wake()

    async def has_begun() -> bool:
        return bool(receiver.requests)

    await until(has_begun)
    server.secret.write_text(NEW)
    assert await server.reload.reload()

    async def is_done() -> bool:
        return len(await server.store.deliveries("done")) == 1

    await until(is_done)
    assert len(receiver.requests) == 1


async def test_a_stop_finishes_the_request_in_progress_to_an_exchanged_destination(
    receiver: Receiver, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(OLD)
    config = tmp_path / "adapter.toml"
    config.write_text(SECTION.format(name="crm", url=receiver.url, secret=secret))
    settings = load(config, {"ADAPTER_STORE": f"sqlite:///{tmp_path / 'adapter.db'}"})
    receiver.answer = receiver.late(0.5, receiver.says(200))
    server = compose(settings, reread=lambda: load(config, {}))
    async with server.running():
        secret.write_text(NEW)
        assert await server.reload()
        await put(server.store, [replace(delivery("slow", "crm"), due_at=datetime.now(UTC))])

        async def has_begun() -> bool:
            return bool(receiver.requests)

        await until(has_begun)
    async with server.working():
        assert [each.id for each in await server.store.deliveries("done")] == ["slow"]


@pytest.mark.parametrize("also", ["not toml", "[destinations.shop]\ntype = 'webhook'\nurl = 'ftp://x'\n"])
async def test_settings_with_errors_change_nothing(server: Server, receiver: Receiver, also: str) -> None:
    server.write("crm", also=also)
    assert not await server.reload.reload()
    await server.push("d", "crm")
    assert len(receiver.requests) == 1


async def test_a_request_reads_the_settings_and_tells_that_it_did(server: Server) -> None:
    server.write("crm", "shop")
    server.reload.request()

    async def was_read() -> bool:
        return server.reread == 1

    await until(was_read)
    assert set(server.in_use.by_name) == {"crm", "shop"}


CORE = """
[destinations.core]
type = "core"
url = "http://127.0.0.1:{port}"
allow_private_addresses = true
"""


async def test_a_core_that_changed_gives_its_answers_to_whom_the_one_before_gave_them(tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"

    async def take(_answers: Any) -> None:
        """Want nothing of the answers."""

    async with AsyncExitStack() as stack:
        store = open_store(f"sqlite:///{tmp_path / 'adapter.db'}")
        await store.open()
        stack.push_async_callback(store.close)
        file.write_text(CORE.format(port=8001))
        settings = load(file, {})
        in_use = configured(settings.destinations)
        before = in_use.by_name["core"]
        assert isinstance(before, CoreDestination)
        before.take = take
        dispatcher = Dispatcher(
            store, in_use.by_name, lambda: datetime.now(UTC), lambda: 0.5, Metrics(), manners=in_use.manners
        )
        destinations, in_force = (
            DestinationsReload(settings.destinations, in_use, dispatcher),
            InForce(settings),
        )
        parts: list[Part] = [destinations, WebReload(in_force, lambda: None)]
        reload = SettingsReload(in_force, lambda: load(file, {}), parts, [], lambda: None)
        await stack.enter_async_context(destinations.clients)
        await stack.enter_async_context(until_stopped(dispatcher.run))
        file.write_text(CORE.format(port=8002))
        assert await reload.reload()
        after = in_use.by_name["core"]
        assert isinstance(after, CoreDestination)
        assert after is not before
        assert after.take is take
        file.write_text("")
        assert not await reload.reload(), "what decides is chosen at the start"
        assert in_use.by_name["core"] is after
