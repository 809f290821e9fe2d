"""`adapter deliveries retry`, `resume` and `test`, and what a list shows of attempts and breakers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook
from typer.testing import CliRunner, Result

from adapter.cli.main import commands
from adapter.model.breakers import Tally
from adapter.model.deliveries import Past, PastAttempt, Pause
from adapter.store.values import DeliveryResult
from tests.cli.test_deliveries import FAR, NOON, fill, opened

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def run(url: str, command: str, *options: str) -> Result:
    return CliRunner().invoke(commands, ["deliveries", command, "--store", url, *options])


def listed(url: str) -> dict[str, tuple[str, str]]:
    result = CliRunner().invoke(commands, ["deliveries", "--store", url, "--json"])
    return {each["id"]: (each["status"], each["next_at"]) for each in json.loads(result.stdout)}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with one delivery that waits a long time and two that are dead; all have failed once."""

    async def later(store: Any) -> None:
        await fill(store)
        past = Past().followed_by(PastAttempt(NOON, 2, 503, "answered 503", "busy\nnow"))
        await store.lease(NOON + timedelta(minutes=2), NOON + timedelta(minutes=3), 9)
        await store.settle([DeliveryResult("w1", 2, done=False, due_at=FAR, error="answered 503", past=past)])

    url = f"sqlite:///{tmp_path / 'adapter.db'}"
    asyncio.run(opened(url, later))
    return url


@pytest.mark.parametrize(
    ("options", "retried"),
    [
        ([], ["o1", "w2"]),
        (["--now"], ["o1", "w1", "w2"]),
        (["w2"], ["w2"]),
        (["w1", "--now"], ["w1"]),
        (["--error", "410"], ["w2"]),
        (["--destination", "other"], ["o1"]),
        (["--type", "discount.redeemed"], []),
        (["--since", "2026-11-22"], []),
        (["--until", "2026-11-21T12:01"], ["o1", "w2"]),
    ],
)
def test_a_retry_sends_those_that_are_selected(url: str, options: list[str], retried: list[str]) -> None:
    result = run(url, "retry", *options, "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"retried": len(retried), "paused": []})
    due = {id_ for id_, (status, at) in listed(url).items() if status == "due" and at < "2999"}
    assert sorted(due) == retried


def test_one_that_is_named_and_not_dead_makes_the_exit_code_1(url: str) -> None:
    assert run(url, "retry", "w1", "w2").exit_code == 1


def test_a_destination_is_resumed_with_what_waits_for_it(url: str) -> None:
    async def rest(store: Any) -> None:
        await store.pause(Pause("webhook", NOON, FAR, "answered 410"))
        await store.settle([], Tally("webhook", 0, 10, datetime.now(UTC), "answered 500"))

    asyncio.run(opened(url, rest))
    shown = CliRunner().invoke(commands, ["deliveries", "--store", url]).stdout.splitlines()
    assert shown[0].startswith("webhook is at rest, because it fails, until ")
    assert shown[1] == "webhook is paused until 2999-01-01 00:00:00 UTC: answered 410"
    done = json.loads(run(url, "resume", "webhook", "--json").stdout)
    assert (done["retried"], [each["kind"] for each in done["resumed"]]) == (1, ["open", "pause"])
    assert listed(url)["w1"][1] < "2999"
    assert listed(url)["w2"][0] == "dead"


def test_the_attempts_of_each_delivery_are_shown(url: str) -> None:
    lines = CliRunner().invoke(commands, ["deliveries", "--store", url, "--attempts"]).stdout.splitlines()
    assert lines[1] == "  2026-11-21 12:00:00 UTC attempt 2, answered 503: busy now"


class Hook(BaseHTTPRequestHandler):
    """Answers 200 to what it can verify, and 401 to all else."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            event = Webhook(SECRET).verify(body, dict(self.headers))
            status, answer = 200, f"got {event['type']}".encode()
        except Exception:  # noqa: BLE001 - whatever the library raises
            status, answer = 401, b"unknown signature"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@pytest.fixture
def hook() -> Iterator[str]:
    """A receiver in a thread."""
    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/in"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("secret", "code", "told"),
    [
        (SECRET, 0, ["crm: accepted, it answered 200", "got adapter.test"]),
        ("whsec_" + "A" * 32, 1, ["crm: failed, answered 401", "unknown signature"]),
    ],
)
def test_a_test_push_tells_what_the_destination_answers(
    hook: str, tmp_path: Path, secret: str, code: int, told: list[str]
) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(
        f'[destinations.crm]\ntype = "webhook"\nurl = "{hook}"\nallow_private_addresses = true\n'
        'secrets = [{env = "CRM_SECRET"}]\n'
    )
    arguments = ["deliveries", "test", "crm", "--config", str(file)]
    result = CliRunner().invoke(commands, arguments, env={"CRM_SECRET": secret})
    assert (result.exit_code, result.stdout.splitlines()) == (code, told)
    unknown = CliRunner().invoke(
        commands, [*arguments[:2], "shop", *arguments[3:]], env={"CRM_SECRET": secret}
    )
    assert unknown.exit_code == 2
