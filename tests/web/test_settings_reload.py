"""A reload exchanges the credentials of callers while the server runs, and loses no request."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from adapter import logs
from adapter.app import App, compose
from adapter.services.environment import Environment
from adapter.settings.load import load
from adapter.settings.values import Settings
from tests.web.test_opendsr import ERASURE, GOOD, NOW, OTHER_KEY, ROOT, ROOT_KEY, certificate, pem
from tests.web.test_opendsr import PATH as OPENDSR
from tests.web.test_opendsr import signed as signed_by_processor

STARTERS = Path(__file__).parents[1] / "starters"
#: A chain in the processor's name whose key is another.
OTHER = pem(certificate(OTHER_KEY, ROOT_KEY), ROOT)
OLD, NEW = "old-credential", "new-credential"
TRACK = b'{"type":"track","event":"Product Viewed","messageId":"m1","userId":"u1","properties":{}}'
BATCH = b'{"events":[],"mpid":"7","user_attributes":{"a":"b"}}'

RULE = "name: a\ntrigger: b\naction: {type: percentage_off, value: 5, code_prefix: A, expires_in_hours: 1}\n"


class Caller:
    """One call with a credential; `written` is how the setting has it."""

    def __init__(
        self, path: str, body: bytes | None, headers: Callable[[str], dict[str, str]], written: str = "{}"
    ) -> None:
        self._path, self._body, self._headers, self._written = path, body, headers, written

    def value(self, credential: str) -> str:
        """Return the credential as the setting has it."""
        return self._written.format(credential)

    async def call(self, client: httpx.AsyncClient, credential: str) -> bool:
        """Return whether the credential is accepted."""
        headers = self._headers(credential)
        method = "GET" if self._body is None else "POST"
        response = await client.request(method, self._path, content=self._body, headers=headers)
        assert response.status_code in {200, 202, 400, 401, 403, 404, 422}, response.text
        return response.status_code not in {401, 403}


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


def basic(credential: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{credential}:secret".encode()).decode()}


def signature(credential: str) -> dict[str, str]:
    return {"X-Signature": hmac.new(credential.encode(), TRACK, hashlib.sha1).hexdigest()}


CALLERS = {
    "api.tokens": Caller("/v1/quarantine", None, bearer),
    "api.read_tokens": Caller("/v1/quarantine", None, bearer),
    "api.operate_tokens": Caller("/v1/deliveries?status=due", None, bearer),
    "api.checkout_tokens": Caller("/v1/validations", b"{}", bearer),
    "api.evaluate_tokens": Caller("/v1/evaluate", b'{"operations":[]}', bearer),
    "segment.shared_secrets": Caller("/webhooks/segment", TRACK, signature),
    "segment.authorizations": Caller("/webhooks/segment", TRACK, bearer, "Bearer {}"),
    "segment.write_keys": Caller("/v1/track", TRACK, basic),
    "mparticle.authorizations": Caller("/webhooks/mparticle", BATCH, bearer, "Bearer {}"),
    "mparticle.api_keys": Caller("/v2/events", BATCH, basic, "{}:secret"),
}
VOUCHERIFY = Caller("/voucherify/v1/async-actions/aa_0", None, lambda token: {"X-App-Token": token})


class Running:
    """An app over settings in variables that a test changes; the last secret is never gone."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "adapter.toml"
        self._file.touch()
        self._environ = {
            "ADAPTER_STORE_URL": f"sqlite:///{folder / 'adapter.db'}",
            "ADAPTER_FILES_MAPPINGS": str(STARTERS / "mappings"),
            "ADAPTER_FILES_RULES": str(STARTERS / "rules"),
        }
        self.now = datetime.now(UTC)
        self.app: App
        self.client: httpx.AsyncClient

    def set(self, **values: str) -> None:
        """Set settings by the names of their variables: `api_tokens="a,b"`."""
        self._environ |= {f"ADAPTER_{name.upper()}": value for name, value in values.items()}

    def unset(self, *names: str) -> None:
        """Set settings no more, by the names of their variables."""
        for name in names:
            del self._environ[f"ADAPTER_{name.upper()}"]

    def write(self, text: str) -> None:
        """Write the file of the settings."""
        self._file.write_text(text)

    def _read(self) -> Settings:
        return load(self._file, self._environ)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Running]:
        self.app = compose(self._read(), world=Environment(clock=lambda: self.now), reread=self._read)
        transport = httpx.ASGITransport(self.app.asgi)
        async with (
            self.app.running(),
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as self.client,
        ):
            yield self


@pytest.fixture
def running(tmp_path: Path) -> Running:
    running = Running(tmp_path)
    running.set(segment_write_keys="another secret")
    return running


@pytest.mark.parametrize("name", [*CALLERS, "voucherify"])
async def test_a_reload_takes_new_credentials_and_gives_up_old_ones(running: Running, name: str) -> None:
    caller = CALLERS.get(name, VOUCHERIFY)
    variable = (name if name in CALLERS else "api.tokens").replace(".", "_")
    running.set(**{variable: caller.value(OLD)})
    async with running.serve():
        accepted = []
        for credentials in ((OLD,), (OLD, NEW), (NEW,)):
            running.set(**{variable: ",".join(map(caller.value, credentials))})
            assert await running.app.reload()
            accepted.append([await caller.call(running.client, each) for each in (OLD, NEW)])
        assert accepted == [[True, False], [True, True], [False, True]]


async def test_a_reload_reads_the_certificate_of_data_subject_requests_again(
    running: Running, tmp_path: Path
) -> None:
    file, body = tmp_path / "processor.pem", json.dumps(ERASURE).encode()
    running.now = NOW
    async with running.serve():
        statuses = []
        for chain in (None, GOOD, OTHER):
            if chain is not None:
                file.write_bytes(chain)
                running.set(mparticle_opendsr_certificate=str(file))
            assert await running.app.reload()
            response = await running.client.post(OPENDSR, content=body, headers=signed_by_processor(body))
            statuses.append(response.status_code)
        assert statuses == [403, 202, 403]


async def test_a_request_that_has_begun_is_finished_by_the_credentials_with_which_it_began(
    running: Running,
) -> None:
    running.set(segment_shared_secrets=OLD)
    async with running.serve():
        half, received = asyncio.Event(), asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield TRACK[:10]
            half.set()
            await received.wait()
            yield TRACK[10:]

        begun = asyncio.create_task(
            running.client.post("/webhooks/segment", content=body(), headers=signature(OLD))
        )
        await half.wait()
        running.set(segment_shared_secrets=NEW)
        assert await running.app.reload()
        received.set()
        assert (await begun).status_code == 200
        assert not await CALLERS["segment.shared_secrets"].call(running.client, OLD)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"mparticle_api_keys": "no-colon-" + NEW}, "`mparticle.api_keys` has an entry without a colon"),
        (
            {"mparticle_opendsr_certificate": "nowhere.pem"},
            "nowhere.pem:1:1",
        ),
        ({"api_tokens": ""}, "`api.tokens`"),
        ({"log_level": "loud"}, "`log.level`"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, dict) else "",
)
async def test_settings_with_errors_change_nothing_and_are_logged_without_values(
    running: Running, caplog: pytest.LogCaptureFixture, wrong: dict[str, str], problem: str
) -> None:
    running.set(api_tokens=OLD)
    async with running.serve():
        running.set(segment_shared_secrets=NEW)
        running.set(**wrong)
        assert not await running.app.reload()
        assert await CALLERS["api.tokens"].call(running.client, OLD)
        assert await CALLERS["segment.write_keys"].call(running.client, "another secret")
    [record] = [each for each in caplog.records if "still using the previous ones" in each.message]
    assert any(problem in each for each in vars(record)["problems"])
    assert not any(NEW in str(vars(each)) for each in caplog.records)


async def test_a_destination_to_which_a_rule_pushes_is_not_removed(
    running: Running, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rules, secret = tmp_path / "rules", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    running.set(files_rules=str(rules), destinations_shop_url="https://shop.example")
    running.set(destinations_shop_secrets=secret)
    rules.mkdir()
    (rules / "a.yaml").write_text(RULE + "push: [shop]\n")
    running.write("[destinations.shop]\ntype = 'webhook'\n")
    async with running.serve():
        running.unset("destinations_shop_url", "destinations_shop_secrets")
        running.write("")
        assert not await running.app.reload()
        assert "no destination is named `shop`" in str(vars(caplog.records[-1])["problems"])
        (rules / "a.yaml").write_text(RULE)
        assert await running.app.reload()


async def test_the_log_names_what_changed_and_what_needs_a_restart_without_values(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with running.serve():
        running.set(api_tokens=NEW, server_port="8123", ingest_reward_within_hours="1", journal_days="3")
        assert await running.app.reload()
        assert await running.app.reload()
    told = [
        (each.message, vars(each).get("settings")) for each in caplog.records if "settings" in each.message
    ]
    need = ("changed settings need a restart", ["server.port", "journal.days"])
    assert told == [
        ("changed settings are in use", ["api.tokens", "ingest.reward_within_hours"]), need, need
    ]  # fmt: skip
    assert not any(NEW in str(vars(each)) for each in caplog.records)


async def test_pages_of_new_origins_may_call_after_a_reload(running: Running) -> None:
    async with running.serve():
        allowed = []
        for origins in ("https://a.example", "https://b.example"):
            running.set(segment_browser_origins=origins)
            assert await running.app.reload()
            headers = {"Origin": "https://b.example", **basic("another secret")}
            response = await running.client.post("/v1/track", content=TRACK, headers=headers)
            allowed.append(response.headers.get("access-control-allow-origin"))
        assert allowed == [None, "https://b.example"]


async def test_development_traffic_is_rewarded_once_a_reload_accepts_it(running: Running) -> None:
    running.set(mparticle_authorizations="Bearer mine")
    async with running.serve():
        reasons = []
        for accepted in ("false", "true"):
            running.set(mparticle_accept_development=accepted)
            assert await running.app.reload()
            event = {
                "event_type": "custom_event",
                "data": {"event_name": "Checkout Started", "event_id": accepted},
            }
            body = {"environment": "development", "mpid": "7", "events": [event]}
            response = await running.client.post("/webhooks/mparticle", json=body, headers=bearer("mine"))
            reasons.append("reason" in response.json()["results"][0])
        assert reasons == [True, False]


async def test_requests_are_counted_once_after_several_reloads(running: Running) -> None:
    async with running.serve():
        flushes = len(running.app.metrics._flushes)
        for _ in range(3):
            assert await CALLERS["segment.write_keys"].call(running.client, "another secret")
            assert await running.app.reload()
        assert len(running.app.metrics._flushes) == flushes
        counted = [
            line
            for line in running.app.metrics.render().decode().splitlines()
            if 'endpoint="tracking"' in line
        ]
        assert 'adapter_requests_total{endpoint="tracking",status="200"} 3.0' in counted


async def test_the_next_upload_has_the_limit_after_the_reload(running: Running) -> None:
    running.set(api_tokens=OLD)
    async with running.serve():
        statuses = []
        for limit in ("1000", "10"):
            running.set(imports_max_file_bytes=limit)
            assert await running.app.reload()
            rows = b"source_id,name\nu1,Ada Lovelace\n"
            path = "/v1/imports?kind=customers"
            response = await running.client.post(path, content=rows, headers=bearer(OLD))
            statuses.append(response.status_code)
        assert statuses == [202, 413]


async def test_the_logs_are_configured_again_where_their_level_or_form_changed(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured: list[tuple[str, str]] = []
    monkeypatch.setattr(logs, "configure", lambda level, form: configured.append((level, form)))
    async with running.serve():
        for values in ({"log_level": "debug"}, {"log_format": "console"}, {"log_reasons": "true"}):
            running.set(**values)
            assert await running.app.reload()
    assert configured == [("debug", "json"), ("debug", "console")]


async def test_visitors_sign_in_to_the_console_with_new_tokens(running: Running) -> None:
    async with running.serve():
        statuses = []
        for token in (OLD, NEW):
            running.set(console_tokens=f"Ada:read:{hashlib.sha256(token.encode()).hexdigest()}")
            assert await running.app.reload()
            form = {"token": NEW}
            headers = {"Origin": "http://127.0.0.1"}
            response = await running.client.post("/console/sign-in", data=form, headers=headers)
            statuses.append(response.status_code)
        assert statuses == [403, 303]
