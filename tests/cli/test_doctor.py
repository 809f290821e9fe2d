"""`adapter doctor` against a running server, directly and through proxies that are set up wrongly."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from typer.testing import CliRunner

from adapter import app
from adapter.cli.diagnosis import traffic
from adapter.cli.main import commands
from adapter.settings.scalars import Secret
from adapter.settings.values import Api, Files, MParticle, Segment, Settings, Store
from adapter.store.engines import open_store

ENVIRONMENT = {
    "ADAPTER_SEGMENT_SHARED_SECRETS": "s3cret", "ADAPTER_SEGMENT_AUTHORIZATIONS": "Bearer a",
    "ADAPTER_MPARTICLE_AUTHORIZATIONS": "Bearer m", "ADAPTER_MPARTICLE_API_KEYS": "key:secret",
    "ADAPTER_API_READ_TOKENS": "reading-token",
}  # fmt: skip
SEGMENT = Segment(shared_secrets=(Secret("s3cret"),), authorizations=(Secret("Bearer a"),))
MAPPING = """
source: segment
mappings:
  - name: Customer
    subscribe: type = "identify"
    action: customer.upsert
    fields: {source_id: {"@path": $.userId}}
"""
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class Site:
    """A server in a thread, behind a proxy that does with requests what `proxy` does."""

    def __init__(self, folder: Path, segment: Segment = SEGMENT) -> None:
        self.segment = segment
        self.store = f"sqlite:///{folder / 'adapter.db'}"
        self.proxy: Callable[[Asgi, Any, Any, Any], Awaitable[None]] = direct
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._folder = folder
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def start(self) -> None:
        self._thread.start()
        assert self._started.wait(20)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    async def _serve(self) -> None:
        settings = Settings(
            store=Store(url=self.store),
            files=Files(str(self._folder / "mappings"), str(self._folder / "rules")),
            segment=self.segment,
            mparticle=MParticle(authorizations=(Secret("Bearer m"),), api_keys=(Secret("key:secret"),)),
            api=Api(read_tokens=(Secret("reading-token"),)),
        )  # fmt: skip
        composed = app.compose(settings)

        async def proxied(scope: Any, receive: Any, send: Any) -> None:
            await self.proxy(composed.asgi, scope, receive, send)

        self._server = uvicorn.Server(uvicorn.Config(proxied, lifespan="off", log_config=None))
        async with composed.running():
            self._started.set()
            await self._server.serve([self._socket])


async def direct(asgi: Asgi, scope: Any, receive: Any, send: Any) -> None:
    await asgi(scope, receive, send)


async def without_signature(asgi: Asgi, scope: Any, receive: Any, send: Any) -> None:
    headers = [pair for pair in scope["headers"] if pair[0] != b"x-signature"]
    await asgi(scope | {"headers": headers}, receive, send)


async def rewriting(asgi: Asgi, scope: Any, receive: Any, send: Any) -> None:
    async def changed() -> Any:
        part = await receive()
        return part | {"body": part.get("body", b"").replace(b'"type"', b'"Type"')}

    await asgi(scope, changed, send)


async def small(asgi: Asgi, scope: Any, receive: Any, send: Any) -> None:
    length = int(dict(scope["headers"]).get(b"content-length", b"0"))
    if length <= 1_000_000:
        return await asgi(scope, receive, send)
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 413, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"<html>413 Request Entity Too Large</html>"})
    return None


async def other_server(_asgi: Asgi, scope: Any, receive: Any, send: Any) -> None:
    result = {"status": "ok", "results": [{"message_id": "1", "outcome": "ignored"}]}
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(result).encode()})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    for name in ("mappings", "rules"):
        (folder / name).mkdir()
    (folder / "mappings" / "segment.yaml").write_text(MAPPING)
    made = Site(folder)
    made.start()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def project(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site._folder)
    monkeypatch.setattr(traffic, "_PATIENCE", 3.0)
    site.proxy = direct
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ADAPTER_STORE_URL", site.store)
    monkeypatch.setenv("ADAPTER_SERVER_PORT", site.url.rpartition(":")[2])


def doctor(*arguments: str, code: int) -> dict[str, dict[str, str]]:
    result = CliRunner().invoke(commands, ["doctor", "--json", *arguments])
    assert result.exit_code == code, result.output
    told = json.loads(result.stdout)
    assert told["ok"] == (code == 0)
    return {each["check"]: each for each in told["checks"]}


def failed(found: dict[str, dict[str, str]]) -> list[str]:
    return [name for name, each in found.items() if each["status"] == "failure"]


def test_a_server_that_is_well_passes_and_nothing_stays_of_the_test_messages(site: Site) -> None:
    found = doctor(code=0)
    ok = {name for name, each in found.items() if each["status"] == "ok"}
    shapes = ("segment-actions", "mparticle-webhook", "mparticle-events")
    assert {f"test message {shape}" for shape in shapes} <= ok
    assert {f"test message {shape} in the journal" for shape in shapes} <= ok
    assert {
        "address",
        "server",
        "large bodies",
        "response time",
        "clock of the server",
        "store",
        "disk",
    } <= ok
    assert kept(site.store) == {}


def kept(url: str) -> dict[str, int]:
    """Count rows in another process, because SQLite's locks are those of a process."""
    tables = ("customers", "events", "discounts", "decisions", "messages", "quarantine", "deliveries")
    script = (
        "import json, sqlite3, sys; reading = sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True); "
        "print(json.dumps({name: reading.execute(f'SELECT count(*) FROM {name}').fetchone()[0] "
        "for name in sys.argv[2:]}))"
    )
    command = [sys.executable, "-S", "-c", script, url.removeprefix("sqlite:///"), *tables]
    counts = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize(
    ("proxy", "checks", "said"),
    [
        (without_signature, ["test message segment-actions"], "lost on the way"),
        (rewriting, ["test message segment-actions"], "body was changed"),
        (small, ["large bodies"], "a proxy answers 413"),
    ],
)
def test_a_proxy_that_is_set_up_wrongly_is_named(
    proxy: Any, checks: list[str], said: str, site: Site
) -> None:
    site.proxy = proxy
    found = doctor("--url", site.url, code=1)
    assert failed(found) == checks
    assert said in found[checks[0]]["detail"]
    assert found[checks[0]]["remedy"]


def test_another_server_at_the_address_has_no_message_in_our_journal(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "_PATIENCE", 0.4)
    site.proxy = other_server
    found = doctor("--url", site.url, code=1)
    assert "test message segment-actions in the journal" in failed(found)


def test_a_secret_that_is_not_the_servers_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_SEGMENT_SHARED_SECRETS", "another")
    found = doctor(code=1)
    assert failed(found) == ["test message segment-actions"]
    assert "the same segment.shared_secrets" in found["test message segment-actions"]["remedy"]


def test_without_a_server_what_can_be_checked_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_SERVER_PORT", "1")
    found = doctor("--no-send", code=1)
    assert failed(found) == ["address"]
    assert found["store"]["status"] == "ok"
    assert found["test messages"]["status"] == "skipped"


def test_secrets_are_not_sent_unencrypted_to_another_machine(site: Site) -> None:
    found = doctor("--url", site.url.replace("127.0.0.1", "127.0.0.2"), code=1)
    assert found["certificate"]["status"] == "failure"
    assert "unencrypted" in found["test messages"]["detail"]
    assert "test message segment-actions" not in found


def test_the_contents_of_a_store_are_read_when_asked_for(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is in use by process" in doctor("--no-send", "--deep", code=0)["store contents"]["detail"]
    monkeypatch.setenv("ADAPTER_STORE_URL", other := f"sqlite:///{tmp_path / 'other.db'}")
    asyncio.run(create(other))
    assert doctor("--no-send", "--deep", code=0)["store contents"]["status"] == "ok"


def test_without_the_store_messages_are_sent_and_not_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTER_STORE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    found = doctor(code=1)
    assert failed(found) == ["store"]
    assert found["test message segment-actions"]["status"] == "ok"
    assert found["test message segment-actions in the journal"]["status"] == "skipped"


async def create(url: str) -> None:
    store = open_store(url)
    await store.open()
    await store.close()


def test_a_destination_that_does_not_answer_a_test_push_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_DESTINATIONS_WEBHOOK_URL", "http://127.0.0.1:1/hooks")
    monkeypatch.setenv("ADAPTER_DESTINATIONS_WEBHOOK_ALLOW_PRIVATE_ADDRESSES", "true")
    monkeypatch.setenv("ADAPTER_DESTINATIONS_WEBHOOK_SECRETS", "whsec_" + "QUJD" * 8)
    assert doctor("--no-send", code=0)["destination webhook"]["status"] == "ok"
    assert failed(doctor("--no-send", "--push", code=1)) == ["destination webhook tried"]


def test_settings_that_cannot_be_read_are_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_SERVER_PORT", "none")
    assert failed(doctor(code=1)) == ["files"]


def test_segments_own_counts_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def get(_api: Any, path: str, version: str) -> dict[str, Any]:
        asked.append((path, version))
        if path == "/destinations/d1":
            return {"destination": {"id": "d1", "sourceId": "s1"}}
        metrics = [{"metricName": "successes", "total": 900, "breakdown": []}]
        return {
            "deliveryMetricsSummary": {"sourceId": "s1", "destinationMetadataId": "m", "metrics": metrics}
        }

    monkeypatch.setattr("adapter.cli.segment_api.SegmentApi._get", get)
    monkeypatch.setenv("PUBLIC_API_TOKEN", "token")
    found = doctor("--no-send", "--segment-destination", "d1", code=0)["Segment's deliveries"]
    assert found["status"] == "warning"
    assert found["detail"] == "Segment counts 900 successes; 0 arrived here"
    path, version = asked[1]
    assert path.startswith("/destinations/d1/delivery-metrics?sourceId=s1&startTime=")
    assert path.endswith("&granularity=MINUTE")
    assert "v1beta" in version


def test_the_lines_for_people_have_their_remedies(site: Site) -> None:
    result = CliRunner().invoke(commands, ["doctor", "--no-send", "--backups", "none"])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    at = next(
        number for number, line in enumerate(lines) if line.startswith("failure  backup: none cannot be read")
    )
    assert lines[at + 1] == "         -> make it, or mount it"
    assert lines[-1].endswith("not checked")
    assert "1 failed" in lines[-1]
    assert "s3cret" not in result.output
    assert "reading-token" not in result.output


@pytest.mark.parametrize(
    "url", ["ftp://shop.example", "shop.example", "https://u:p@shop.example", "https://a?b=c"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    assert CliRunner().invoke(commands, ["doctor", "--url", url]).exit_code == 2
