"""`adapter send`: what arrives at a server, and what the command tells."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapter.cli.main import commands
from adapter.cli.send import SHAPES
from adapter.services.authoring import examples
from adapter.settings.scalars import Secret
from adapter.settings.values import MParticle, Segment, Settings
from adapter.sources.registry import SOURCES

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SETTINGS = Settings(
    segment=Segment(shared_secrets=(Secret("s3cret"),), authorizations=(Secret("Bearer a"),)),
    mparticle=MParticle(authorizations=(Secret("Bearer m"),), api_keys=(Secret("key:secret"),)),
)
ENVIRONMENT = {
    "ADAPTER_SEGMENT_SHARED_SECRETS": "s3cret", "ADAPTER_SEGMENT_AUTHORIZATIONS": "Bearer a",
    "ADAPTER_MPARTICLE_AUTHORIZATIONS": "Bearer m", "ADAPTER_MPARTICLE_API_KEYS": "key:secret",
}  # fmt: skip


class Receiver:
    """A server that keeps what it receives, and answers as it is told."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[bytes, bytes], bytes]] = []
        self.answers: list[tuple[int, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower().encode(): value.encode() for name, value in self.headers.items()}
                receiver.received.append((self.path, headers, body))
                status, answer = receiver.answers.pop(0) if receiver.answers else (200, {"results": []})
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def send(receiver: Receiver, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(commands, ["send", *arguments, "--to", receiver.url])
    assert result.exit_code == code, result.output
    return result


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.source == "segment"])
def test_every_shape_of_segment_is_verified_and_decoded_by_the_source(name: str, receiver: Receiver) -> None:
    send(
        receiver,
        "--example",
        "checkout",
        "--as",
        name,
        "--count",
        "3",
        "--user",
        "u-{n}",
        "--batch-size",
        "2",
    )
    verifier = SOURCES["segment"].verifier(SETTINGS)
    users = []
    for path, headers, body in receiver.received:
        assert path == "/webhooks/segment"
        verifier.admit(headers)
        verifier.verify(body, headers)
        decoded = SOURCES["segment"].decode(body, NOW)
        assert decoded.quarantined == []
        users += [message.document["userId"] for message in decoded.messages]
    assert users == ["u-1", "u-2", "u-3"]
    assert len(receiver.received) == (2 if SHAPES[name].most > 1 else 3)
    agents = {headers[b"user-agent"] for _, headers, _ in receiver.received}
    assert agents == {b"Segment.io/1.0" if name == "segment-classic" else b"Segment (Actions)"}


@pytest.mark.parametrize(
    ("name", "example", "path", "header"),
    [
        ("mparticle-webhook", "checkout", "/webhooks/mparticle", b"Bearer m"),
        ("mparticle-events", "order", "/v2/events", b"Basic a2V5OnNlY3JldA=="),
        ("mparticle-firehose", "audience", "/webhooks/mparticle/firehose", b"Bearer m"),
    ],
)
def test_every_shape_of_mparticle_has_its_path_and_proof(
    name: str, example: str, path: str, header: bytes, receiver: Receiver
) -> None:
    send(receiver, "--example", example, "--source", "mparticle", "--as", name)
    [(sent_to, headers, body)] = receiver.received
    assert (sent_to, headers[b"authorization"]) == (path, header)
    decoded = SOURCES["mparticle"].decode(body, NOW)
    assert decoded.quarantined == []
    assert decoded.messages


@pytest.mark.parametrize("source", ["segment", "mparticle"])
def test_every_example_is_new_each_time_it_is_sent(source: str) -> None:
    numbers = count()
    for name in examples.names(source):
        bodies = [examples.example(source, name, NOW, lambda: f"id-{next(numbers)}", "u-9") for _ in range(2)]
        keys = [{message.key for message in SOURCES[source].decode(body, NOW).messages} for body in bodies]
        assert keys[0]
        assert keys[0].isdisjoint(keys[1]), name
        assert all(b"user_123" not in body for body in bodies)


def test_a_file_is_sent_byte_for_byte_and_again_for_a_higher_count(receiver: Receiver) -> None:
    lines = ['{"type": "track", "event": "A", "n": 1.50}', '{"type": "track", "event": "ü", "n": 1e3}']
    Path("recorded.jsonl").write_text("\n".join(lines), encoding="utf-8")
    send(receiver, "recorded.jsonl", "--count", "3")
    assert [body.decode() for _, _, body in receiver.received] == [*lines, lines[0]]


def test_the_answers_are_told(receiver: Receiver) -> None:
    discount = {
        "code": "HV15-1", "action": {"type": "percentage_off", "value": 15}, "metadata": {"rule": "high"},
        "status": "issued",
    }  # fmt: skip
    receiver.answers = [
        (200, {"results": [{"message_id": "m-1", "outcome": "processed", "discounts": [discount]}]}),
        (200, {"results": [{"message_id": "m-2", "outcome": "quarantined", "reason": "no id"}]}),
        (503, {"error": {"code": "unavailable", "message": "later"}}),
    ]
    result = send(receiver, "--example", "checkout", "--count", "3", code=1)
    assert result.stdout.splitlines() == [
        "200 m-1: processed",
        "    HV15-1 percentage_off 15 by high (issued)",
        "200 m-2: quarantined (no id)",
        '503 {"error": {"code": "unavailable", "message": "later"}}',
    ]


def test_many_are_counted(receiver: Receiver) -> None:
    receiver.answers = [(429, {})]
    result = send(receiver, "--example", "identify", "--count", "50", "--connections", "4", "--json", code=1)
    told = json.loads(result.stdout)
    assert (told["sent"], told["statuses"]) == (50, {"200": 49, "429": 1})
    assert len({json.loads(body)["messageId"] for _, _, body in receiver.received}) == 50


def test_a_rate_spreads_the_requests(receiver: Receiver) -> None:
    result = send(receiver, "--example", "identify", "--count", "21", "--rate", "200", "--json")
    assert json.loads(result.stdout)["seconds"] >= 0.1


def test_without_a_server_it_says_what_to_do(receiver: Receiver) -> None:
    result = CliRunner().invoke(commands, ["send", "--example", "checkout", "--to", "http://127.0.0.1:9"])
    assert result.exit_code == 1
    assert "start one with `adapter serve`" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name either a FILE or an --example"),
        (["--example", "chekout"], "did you mean `checkout`?"),
        (["--example", "checkout", "--as", "segment-clasic"], "did you mean `segment-classic`?"),
        (["--example", "checkout", "--to", "shop.example"], "is no address of a server"),
        (["--example", "checkout", "--as", "mparticle-firehose"], "choose another --as"),
    ],
)
def test_mistakes_are_told(arguments: list[str], told: str, receiver: Receiver) -> None:
    result = CliRunner().invoke(commands, ["send", *arguments])
    assert result.exit_code != 0
    assert told in " ".join(result.stderr.replace("│", " ").split())
    assert receiver.received == []


def test_a_warning_is_given_before_a_secret_goes_unencrypted(receiver: Receiver) -> None:
    result = CliRunner().invoke(
        commands, ["send", "--example", "checkout", "--to", "http://[::ffff:127.0.0.1]:9"]
    )
    assert "goes unencrypted" in result.stderr
