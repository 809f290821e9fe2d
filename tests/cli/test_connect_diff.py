"""`adapter connect segment --diff` against a stand-in of Segment's Public API."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapter.cli.main import commands
from tests.cli.segment_types import DestinationAnswer, Subscriptions, expect

TRIGGER = 'type = "identify"'
MAPPING = (
    'source: segment\nmappings:\n  - name: A\n    subscribe: type = "identify"\n    action: customer.upsert\n'
    '    fields: {source_id: {"@path": $.userId}}\n'
)


class PublicApi:
    """Answers the two calls as the API does, masks secrets, and expects its token and versions."""

    def __init__(self) -> None:
        self.status = 200
        self.destination: dict[str, Any] = {
            "id": "d1", "enabled": True, "sourceId": "s1", "metadata": {"id": "614a3c7d791c91c41bae7599"},
            "settings": {"sharedSecret": "\u2022\u2022\u2022\u2022"},
        }  # fmt: skip
        self.settings: dict[str, Any] = {
            "url": "https://shop.example/webhooks/segment", "method": "POST", "data": {"@path": "$."},
            "enable_batching": False, "headers": {"Authorization": "Bearer hidden-header"},
        }  # fmt: skip
        self.trigger = TRIGGER
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, answer = api.answer(self.path, self.headers["Authorization"], self.headers["Accept"])
                self.send_response(status)
                self.send_header("Retry-After", "7")
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path: str, authorization: str, accept: str) -> tuple[int, Any]:
        if self.status != 200 or authorization != "Bearer read-token":
            return self.status if self.status != 200 else 401, {"errors": [{"type": "x"}]}
        if path == "/destinations/d1":
            assert accept == "application/vnd.segment.v1+json"
            expect(DestinationAnswer, {"destination": self.destination})
            return 200, {"data": {"destination": self.destination}}
        assert accept == "application/vnd.segment.v1alpha+json"
        common = {"name": "Behaviour", "actionSlug": "send", "destinationId": "d1", "enabled": True}
        other = {**common, "id": "s0", "actionId": "other", "trigger": "", "settings": {}}
        send = {**common, "id": "s1", "actionId": "nFPnRozhz1mh4Gbx4MLvT5", "trigger": self.trigger,
                "settings": self.settings}  # fmt: skip
        page = {"subscriptions": [other], "pagination": {"current": "a", "next": "b="}}
        if not path.endswith("/subscriptions?pagination.count=100"):
            assert path.endswith("/subscriptions?pagination.count=100&pagination.cursor=b%3D")
            page = {"subscriptions": [send], "pagination": {"current": "b="}}
        expect(Subscriptions, page)
        return 200, {"data": page}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PublicApi]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "m.yaml").write_text(MAPPING)
    monkeypatch.setenv("PUBLIC_API_TOKEN", "read-token")
    made = PublicApi()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def diff(api: PublicApi, *options: str) -> Result:
    asked = [
        "connect",
        "segment",
        "--url",
        "https://shop.example",
        "--diff",
        "d1",
        "--api",
        api.url,
        *options,
    ]
    result = CliRunner().invoke(commands, asked)
    assert "hidden-header" not in result.output
    assert "read-token" not in result.output
    return result


def test_no_difference(api: PublicApi) -> None:
    result = diff(api)
    assert (result.exit_code, result.stdout) == (0, "the destination is as it should be\n")


def test_each_difference_is_told_and_secrets_are_not(api: PublicApi) -> None:
    api.destination |= {"enabled": False, "settings": {}}
    api.trigger = 'type = "track"'
    api.settings |= {"url": "https://old.example/", "headers": {"X-Other": "hidden-header"}}
    result = diff(api, "--batch-size", "50")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "destination.enabled is false, should be true",
        'destination.settings.sharedSecret is "missing", should be "set"',
        'subscription.trigger is "type = \\"track\\"", should be "type = \\"identify\\""',
        'subscription.settings.url is "https://old.example/", should be "https://shop.example/webhooks/segment"',
        "subscription.settings.enable_batching is false, should be true",
        'subscription.settings.headers.Authorization is "missing", should be "set"',
    ]
    assert len(json.loads(diff(api, "--json", "--batch-size", "50").stdout)["differs"]) == 6


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "Segment refuses the token"),
        (404, "no such destination"),
        (429, "try again in 7 seconds"),
        (500, "answered 500"),
    ],
)
def test_an_answer_that_is_no_destination_ends_with_what_to_do(
    status: int, told: str, api: PublicApi
) -> None:
    api.status = status
    result = diff(api)
    assert result.exit_code == 1
    assert told in result.stderr


def test_a_token_never_goes_unencrypted_to_another_machine(api: PublicApi) -> None:
    asked = ["--url", "https://shop.example", "--diff", "d1", "--api", "http://segment.example"]
    result = CliRunner().invoke(commands, ["connect", "segment", *asked])
    assert (result.exit_code, "https address only" in result.stderr) == (1, True)


def test_without_a_token_nothing_is_asked(api: PublicApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBLIC_API_TOKEN")
    assert diff(api).exit_code == 2
