"""`adapter connect segment --script`, run by sh against a stand-in of Segment's Public API."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands
from adapter.services.authoring.connect_segment import SegmentSetup
from adapter.services.authoring.segment_drift import drift
from adapter.services.authoring.segment_script import script
from tests.cli.segment_types import CreateDestination, CreateSubscription, expect

TRIGGER = """type = "track" and event = "Bob's ${HOME} `id` %{y} \\\\ é" """
SECRETS = {
    "PUBLIC_API_TOKEN": 't0ken-"q\\b',
    "SHARED_SECRET": "s3cret'\"\\n$HOME `id` é%s",
    "AUTHORIZATION": 'Bearer "h1dden\\t',
}
#: Answers of the API: the ids wanted are neither the first nor the only ones.
DESTINATION = {
    "data": {
        "warnings": [{"id": "no"}, "id"],
        "destination": {
            "metadata": {"id": "no", "actions": [{"id": "no"}]},
            "name": '"id":"no"\\',
            "id": "d1",
        },
    }
}
SUBSCRIPTION = {"data": {"destinationSubscription": {"settings": {"id": "no"}, "id": "s-1"}}}
WANTED = SegmentSetup("https://shop.example/webhooks/segment", TRIGGER, 50)
Call = tuple[str, str, Any]


class PublicApi:
    """Creates a destination and a subscription, checks token and version, and keeps the bodies."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: dict[str, tuple[int, Any]] = {
            "/destinations": (200, DESTINATION), "/destinations/d1/subscriptions": (201, SUBSCRIPTION),
        }  # fmt: skip
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                versions = {self.headers["Accept"], self.headers["Content-Type"]}
                api.calls.append((self.path, versions.pop() if len(versions) == 1 else "", body))
                token = self.headers["Authorization"] == f"Bearer {SECRETS['PUBLIC_API_TOKEN']}"
                status, answer = api.answers.get(self.path, (404, {})) if token else (401, {})
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer, indent=2).encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def api() -> Iterator[PublicApi]:
    if shutil.which("curl") is None:
        pytest.skip("curl is not there")
    made = PublicApi()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def run(api: PublicApi, tmp_path: Path) -> Any:
    recorder = tmp_path / "curl"
    recorder.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >> {shlex.quote(str(tmp_path))}/arguments\n'
        f'exec {shutil.which("curl")} "$@"\n'
    )
    recorder.chmod(0o755)
    text = script(WANTED, api.url)

    def run(code: int = 0, *shell: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{tmp_path}:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", *shell, "-s"], input=text, capture_output=True, text=True, check=False,
            env={"PATH": path, "SOURCE_ID": "source-1", "HOME": "/", **SECRETS, **environment},
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        arguments = tmp_path / "arguments"
        written = done.stdout + done.stderr + (arguments.read_text() if arguments.exists() else "")
        assert not [part for part in ("t0ken", "s3cret", "h1dden") if part in written]
        return done

    return run


def test_the_script_creates_a_destination_and_its_subscription(api: PublicApi, run: Any) -> None:
    assert run(0, "-x").stdout == "destination d1\nsubscription s-1\n"
    name = "Behaviour Discounts adapter"
    assert api.calls == [
        (
            "/destinations", "application/vnd.segment.v1+json",
            {
                "sourceId": "source-1", "metadataId": "614a3c7d791c91c41bae7599", "enabled": True,
                "name": name, "settings": {"sharedSecret": SECRETS["SHARED_SECRET"]},
            },
        ),
        (
            "/destinations/d1/subscriptions", "application/vnd.segment.v1alpha+json",
            {
                "name": name, "actionId": "nFPnRozhz1mh4Gbx4MLvT5", "trigger": TRIGGER, "enabled": True,
                "settings": {
                    "url": "https://shop.example/webhooks/segment", "method": "POST",
                    "headers": {"Authorization": SECRETS["AUTHORIZATION"]}, "data": {"@path": "$."},
                    "enable_batching": True, "batch_size": 50, "batch_keys": ["url", "method", "headers"],
                },
            },
        ),
    ]  # fmt: skip
    created, subscription = (body for *_, body in api.calls)
    expect(CreateDestination, created)
    expect(CreateSubscription, subscription)
    assert drift(WANTED, created | {"metadata": {"id": created["metadataId"]}}, [subscription]) == []


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (401, {}, "Segment refuses PUBLIC_API_TOKEN"),
        (429, {}, "wait a minute"),
        (422, {"errors": [{"message": "no such source"}]}, "no such source"),
        (
            400,
            {"errors": [{"message": f"bad secret {SECRETS['SHARED_SECRET']}"}]},
            "a text with a part of a secret",
        ),
        (302, {}, "Segment answered 302"),
        (200, {"data": {"destination": {"name": "id"}}}, "no id of a destination"),
        (200, {"data": {"destination": {"id": "../x"}}}, "no id of a destination"),
    ],
)
def test_the_script_stops_at_the_first_error(
    status: int, answer: Any, told: str, api: PublicApi, run: Any
) -> None:
    api.answers["/destinations"] = (status, answer)
    done = run(1)
    assert told in done.stderr
    assert done.stdout == ""
    assert [path for path, *_ in api.calls] == ["/destinations"]


def test_a_script_that_stopped_goes_on_with_the_destination_that_is_there(api: PublicApi, run: Any) -> None:
    api.answers["/destinations/d1/subscriptions"] = (400, {"errors": [{"message": "bad trigger"}]})
    done = run(1)
    assert done.stdout == "destination d1\n"
    assert "bad trigger" in done.stderr
    assert "run this again with DESTINATION_ID=d1" in done.stderr
    api.answers["/destinations/d1/subscriptions"] = (200, SUBSCRIPTION)
    assert run(DESTINATION_ID="d1", SOURCE_ID="").stdout == "destination d1\nsubscription s-1\n"
    assert [path for path, *_ in api.calls].count("/destinations") == 1


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"PUBLIC_API_TOKEN": ""}, "set PUBLIC_API_TOKEN"),
        ({"SHARED_SECRET": ""}, "set SHARED_SECRET"),
        ({"AUTHORIZATION": "Bearer a\nX: y"}, "AUTHORIZATION has a line break"),
        ({"SOURCE_ID": ""}, "set SOURCE_ID"),
        ({"DESTINATION_ID": "a/b"}, "DESTINATION_ID is no id"),
    ],
)
def test_without_good_variables_nothing_is_called(
    environment: dict[str, str], told: str, api: PublicApi, run: Any
) -> None:
    assert told in run(1, **environment).stderr
    assert api.calls == []


def test_the_command_prints_the_script_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADAPTER_SEGMENT_SHARED_SECRETS", "very-secret-text")
    monkeypatch.setenv("PUBLIC_API_TOKEN", "very-secret-token")
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "m.yaml").write_text(
        "source: segment\nmappings:\n"
        '  - {name: A, subscribe: type = "track", action: customer.erase, fields: {source_id: x}}\n'
    )
    asked = ["connect", "segment", "--url", "https://shop.example", "--script"]
    result = CliRunner().invoke(commands, [*asked, "--api", "https://eu1.api.segmentapis.com/"])
    assert result.exit_code == 0, result.output
    wanted = SegmentSetup("https://shop.example/webhooks/segment", 'type = "track"')
    assert result.stdout == script(wanted, "https://eu1.api.segmentapis.com")
    assert "very-secret" not in result.output
    assert CliRunner().invoke(commands, [*asked, "--api", "http://segment.example"]).exit_code == 1
    assert CliRunner().invoke(commands, [*asked, "--diff", "d1"]).exit_code == 2
