"""The checks of `adapter doctor`, each by what it was given to read."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import json

from adapter.cli.diagnosis import arrivals, machine, probes, reachability, received, state, tls
from adapter.cli.diagnosis.finding import Finding
from adapter.cli.diagnosis.machine import BackupFile, Disk
from adapter.cli.diagnosis.tls import Handshake
from adapter.cli.diagnosis.web import Answer
from adapter.files.problems import Mark, Problem
from adapter.mapping import mapping_set
from adapter.model.journal import JournalEntry
from adapter.services.delivery.retries import Pushed
from adapter.services.delivery.shown import Rest
from adapter.settings.scalars import Secret
from adapter.settings.values import Ingest, MParticle, Segment, Server, Settings
from adapter.sources.registry import SOURCES
from adapter.sources.segment.webhook import verify
from adapter.store.migrations import Schema

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
URL = "https://shop.example"
SETTINGS = Settings(
    segment=Segment(shared_secrets=(Secret("s3cret"),), authorizations=(Secret("Bearer a"),)),
    mparticle=MParticle(authorizations=(Secret("Bearer m"),), api_keys=(Secret("key:secret"),)),
)


def statuses(found: Iterator[Finding]) -> list[str]:
    return [each.status for each in found]


def answer(status: int, value: Any = None, **headers: str) -> Answer:
    return Answer(status, headers, b"" if value is None else json.encode(value), 0.01, error="refused")


def error(message: str) -> dict[str, Any]:
    return {"error": {"code": "unauthorised", "message": message}}


@pytest.mark.parametrize(
    ("days", "status"), [(90, "ok"), (21, "ok"), (20, "warning"), (2, "failure"), (-1, "failure")]
)
def test_a_certificate_is_renewed_in_time(days: int, status: str) -> None:
    found = list(tls.certificate(URL, Handshake(NOW + timedelta(days=days, hours=1), "TLSv1.3"), NOW))
    assert [each.status for each in found] == [status]
    assert bool(found[0].remedy) == (status != "ok")


def test_an_address_without_tls_is_a_failure_unless_it_is_this_machine() -> None:
    assert statuses(tls.certificate("http://shop.example", None, NOW)) == ["failure"]
    assert statuses(tls.certificate("http://127.0.0.1:8000", None, NOW)) == ["skipped"]
    assert statuses(tls.certificate(URL, Handshake(error="refused"), NOW)) == ["failure"]


@contextmanager
def tls_server(folder: Path) -> Iterator[tuple[str, Path]]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=9_000)).not_valid_after(NOW + timedelta(days=9_000))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file, secret = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                          serialization.NoEncryption())
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(10)

    def serve() -> None:
        for _ in range(2):
            accepted, _ = listening.accept()
            try:
                with context.wrap_socket(accepted, server_side=True) as wrapped:
                    wrapped.recv(1)
            except OSError:
                accepted.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"https://127.0.0.1:{listening.getsockname()[1]}", file
    thread.join()
    listening.close()


def test_a_certificate_that_senders_cannot_verify_is_a_failure(tmp_path: Path) -> None:
    with tls_server(tmp_path) as (url, file):
        trusting = tls.handshake(url, ssl.create_default_context(cafile=file))
        doubting = tls.handshake(url, ssl.create_default_context())
    assert trusting is not None
    assert trusting.ends == NOW + timedelta(days=9_000)
    assert doubting is not None
    assert doubting.invalid
    (found,) = tls.certificate(url, doubting, NOW)
    assert found.status == "failure"
    assert "self-signed" in found.detail


@pytest.mark.parametrize(
    ("live", "status", "said"),
    [
        (answer(200, {"status": "ok"}), "ok", "answers"),
        (answer(200, {"hello": "world"}), "failure", "not the adapter"),
        (answer(404), "failure", "not the adapter"),
        (answer(301, location="https://www.shop.example/"), "failure", "redirects to https://www.shop.example/"),
        (answer(0), "failure", "nothing answers"),
    ],
)  # fmt: skip
def test_the_address_is_the_adapters_own(live: Answer, status: str, said: str) -> None:
    (found,) = reachability.reachable(URL, live)
    assert (found.status, said in found.detail) == (status, True)


@pytest.mark.parametrize(
    ("given", "status", "remedy"),
    [
        (answer(200, {}), "ok", ""),
        (answer(413), "failure", "client_max_body_size"),
        (answer(413, error("too large")), "failure", "server.max_body_bytes"),
        (answer(0), "failure", "proxy"),
        (None, "skipped", ""),
    ],
)
def test_a_413_of_a_proxy_is_told_from_our_own(given: Answer | None, status: str, remedy: str) -> None:
    (found,) = reachability.large_body(given, SETTINGS)
    assert found.status == status
    assert remedy in found.remedy


def test_a_limit_of_ours_below_segments_batches_is_a_warning() -> None:
    small = Settings(server=Server(max_body_bytes=1_000_000))
    assert statuses(reachability.large_body(None, small)) == ["warning"]


@pytest.mark.parametrize(("seconds", "status"), [(0.1, "ok"), (2.5, "warning"), (4.1, "failure")])
def test_answers_come_before_segment_gives_up(seconds: float, status: str) -> None:
    slow = Answer(200, {}, b"", seconds)
    assert statuses(reachability.speed([Answer(200, {}, b"", 0.01), slow], SETTINGS)) == [status]


def test_a_wait_as_long_as_segments_is_a_warning() -> None:
    found = list(reachability.speed([], Settings(ingest=Ingest(max_wait_seconds=5))))
    assert [each.status for each in found] == ["warning", "skipped"]


@pytest.mark.parametrize(("seconds", "status"), [(3, "ok"), (-20, "warning"), (90, "failure")])
def test_the_date_of_an_answer_shows_a_wrong_clock(seconds: int, status: str) -> None:
    date = (NOW + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert statuses(reachability.proxy_clock(answer(200, date=date), NOW)) == [status]
    assert statuses(reachability.proxy_clock(answer(200, date="soon"), NOW)) == []


def made() -> list[probes.Probe]:
    return probes.probes(SETTINGS, NOW, lambda: "1")


def test_each_source_with_secrets_gets_a_message_without_a_customer() -> None:
    assert [each.shape.name for each in made()] == [
        "segment-actions",
        "mparticle-webhook",
        "mparticle-events",
    ]
    assert [each.shape.name for each in probes.probes(Settings(), NOW, str)] == ["segment-actions"]
    for probe in made():
        (message,) = SOURCES[probe.shape.source].decode(probe.body, NOW).messages
        assert message.document["messageId"] == probe.id
        assert message.document.get("userId") is message.document.get("anonymousId") is None


def test_a_large_body_is_signed_and_decodes_to_the_same_message() -> None:
    for probe in made():
        request = probe.large(SETTINGS)
        assert len(request.body) == reachability.LARGE
        decoded = SOURCES[probe.shape.source].decode(request.body, NOW)
        assert [each.document["messageId"] for each in decoded.messages] == [probe.id]
    signed = made()[0].large(SETTINGS)
    assert verify(signed.body, signed.headers["X-Signature"], [b"s3cret"]) == "whole"


@pytest.mark.parametrize(
    ("trigger", "taken"), [('type = "track"', False), ("userId = null", True), ('type != "page"', True)]
)
def test_a_message_that_a_mapping_would_take_is_not_sent(trigger: str, taken: bool, tmp_path: Path) -> None:
    mapping = {"name": "All", "subscribe": trigger, "action": "customer.upsert", "fields": {"source_id": "x"}}
    (tmp_path / "a.yaml").write_bytes(json.encode({"source": "segment", "mappings": [mapping]}))
    loaded, problems = mapping_set.load(tmp_path)
    assert loaded is not None, problems
    assert bool(probes.taking(made()[0], loaded, NOW)) == taken
    assert not probes.taking(made()[1], loaded, NOW)


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (answer(200, {"results": [{"message_id": "1", "outcome": "ignored"}]}), "ok", "match"),
        (answer(200, {"results": [{"message_id": "1", "outcome": "processed"}]}), "warning", "`processed`"),
        (answer(200, {"hello": 1}), "failure", "something else"),
        (answer(202), "failure", "answered 202"),
        (answer(401), "failure", "a proxy answers 401"),
        (answer(403, error("X-Signature does not match the body")), "failure", "not the server's"),
        (answer(401, error("the X-Signature header is missing; set")), "failure", "lost on the way"),
        (answer(401, error("this endpoint is disabled because")), "failure", "disabled"),
        (answer(404), "failure", "a proxy answered"),
        (answer(503, error("the queue is full")), "failure", "the queue is full"),
        (answer(0), "failure", "no answer"),
    ],
)
def test_what_an_answer_says_of_secrets_and_proxies(given: Answer, status: str, said: str) -> None:
    found = probes.answered(made()[0], given)
    assert (found.status, said in found.detail) == (status, True), found


def test_the_events_api_is_answered_by_202_alone() -> None:
    assert probes.answered(made()[2], answer(202)).status == "ok"


def entry(
    message_id: str, outcome: Any = "processed", *, at: datetime = NOW, document: Any = None
) -> JournalEntry:  # fmt: skip
    return JournalEntry("segment", message_id, message_id, at, outcome, "", [], json.encode(document or {}))


def test_a_message_that_is_answered_elsewhere_is_not_found_again() -> None:
    probe = made()[0]
    assert statuses(probes.found(probe, [entry("m-1"), entry(probe.id)])) == ["ok"]
    assert statuses(probes.found(probe, [entry("m-1")])) == ["failure"]
    assert statuses(probes.found(probe, None, "journal.days is 0")) == ["skipped"]


@pytest.mark.parametrize(
    ("seconds", "status"), [(0.5, "ok"), (-30, "warning"), (30, "warning"), (3600, "failure")]
)
def test_when_a_message_was_received_shows_the_clock_of_the_server(seconds: float, status: str) -> None:
    probe = made()[0]
    entries = [entry(probe.id, at=NOW + timedelta(seconds=seconds))]
    assert statuses(probes.server_clock(probe, entries, NOW, NOW + timedelta(seconds=1))) == [status]


METRICS = """# TYPE adapter_segment_signatures_total counter
adapter_segment_signatures_total{{body="message",form="whole"}} 5.0
adapter_segment_signatures_total{{body="batch",form="whole"}} {whole}
adapter_segment_signatures_total{{body="batch",form="first_element"}} {first}
# TYPE adapter_requests_total counter
adapter_requests_total{{endpoint="webhooks_segment",status="401"}} {refused}
adapter_requests_total{{endpoint="customers",status="401"}} 9.0
adapter_messages_total{{source="segment",outcome="ignored"}} 9.0
"""


@pytest.mark.parametrize(
    ("whole", "first", "segment", "status"),
    [
        (0, 0, Segment(), "ok"),
        (0, 7, Segment(), "warning"),
        (0, 7, Segment(authorizations=(Secret("a"),)), "ok"),
        (3, 7, Segment(authorizations=(Secret("a"),), whole_signature_suffices=True), "warning"),
        (3, 0, Segment(authorizations=(Secret("a"),), whole_signature_suffices=True), "ok"),
    ],
)
def test_batches_of_which_the_first_message_alone_is_signed_are_named(
    whole: int, first: int, segment: Segment, status: str
) -> None:
    found = received.samples(METRICS.format(whole=whole, first=first, refused=0).encode())
    (line,) = received.signatures(found, segment)
    assert line.status == status
    assert f"{whole} over whole batches, {first} over a batch's first message" in line.detail


def test_metrics_that_are_none_are_not_read() -> None:
    assert received.samples(b'{"hello": 1}') is received.samples(b"\xff") is None
    assert statuses(received.signatures(None, Segment())) == ["skipped"]


def test_requests_with_wrong_secrets_are_a_warning() -> None:
    def found(refused: int) -> list[received.Sample]:
        return received.samples(METRICS.format(whole=0, first=0, refused=refused).encode()) or []

    assert statuses(received.refused(found(0))) == ["ok"]
    (line,) = received.refused(found(3))
    assert (line.status, line.detail) == (
        "warning",
        "answered 401 or 403 since the server started: 3 at webhooks_segment",
    )


def arrived(entries: Iterable[JournalEntry]) -> arrivals.Arrived:
    found = arrivals.Arrived(Counter())
    found.add(entries)
    return found


def test_the_last_hour_is_counted_without_the_doctors_own_messages() -> None:
    entries = [entry("m-1"), entry("m-2"), entry("m-3", "quarantined"), entry(made()[0].id, "ignored")]
    found = arrived(entries)
    (line,) = arrivals.last_hour(found)
    assert (line.status, line.detail) == ("warning", "segment: 2 processed, 1 quarantined")
    assert statuses(arrivals.last_hour(arrived(entries[:2]))) == ["ok"]
    assert statuses(arrivals.last_hour(arrived(entries[3:]))) == ["warning"]
    assert statuses(arrivals.last_hour(None, "why")) == ["skipped"]


@pytest.mark.parametrize(("seconds", "status"), [(2, "ok"), (-30, "warning"), (900, "warning")])
def test_messages_that_arrive_before_segment_received_them_show_a_wrong_clock(
    seconds: int, status: str
) -> None:
    received_at = (NOW - timedelta(seconds=seconds)).isoformat()
    late = (NOW - timedelta(hours=3)).isoformat()
    entries = [entry("m-1", document={"receivedAt": received_at}),
               entry("m-2", document={"receivedAt": late}),
               entry("m-3", document={"receivedAt": "soon"}), entry("m-4", document=["cut"])]  # fmt: skip
    assert statuses(arrivals.sender_clock(arrived(entries))) == [status]
    assert statuses(arrivals.sender_clock(arrived([]))) == []


@pytest.mark.parametrize(
    ("delivered", "discarded", "status"),
    [(100, 0, "ok"), (110, 0, "ok"), (200, 0, "warning"), (100, 50, "warning")],
)
def test_segments_counts_stand_beside_ours(delivered: int, discarded: int, status: str) -> None:
    ours = arrived(entry(f"m-{number}") for number in range(100))
    metrics = [
        {"metricName": "successes", "total": delivered},
        {"metricName": "discarded", "total": discarded},
    ]
    (line,) = arrivals.delivered(metrics, ours)
    assert line.status == status
    assert f"{delivered} successes, {discarded} discarded; 100 arrived here" in line.detail


def test_metrics_of_other_names_are_shown_and_not_compared() -> None:
    (line,) = arrivals.delivered([{"metricName": "delivered_ok", "total": 9_000}], arrived([]))
    assert (line.status, line.detail) == ("ok", "Segment counts 9000 delivered_ok")


@pytest.mark.parametrize(
    ("free", "store", "status"),
    [(50_000, 100, "ok"), (1_000, 100, "warning"), (50_000, 400_000, "warning"), (100, 10, "failure")],
)
def test_space_on_the_disk(free: int, store: int, status: str) -> None:
    assert statuses(machine.disk(Disk(free * 1_000_000, store * 1_000_000))) == [status]


def test_the_disk_is_that_of_the_store_with_its_log(tmp_path: Path) -> None:
    (tmp_path / "adapter.db").write_bytes(b"1234")
    (tmp_path / "adapter.db-wal").write_bytes(b"12")
    found = machine.disk_of(tmp_path / "adapter.db")
    assert found is not None
    assert found.store == 6
    assert found.free > 0
    assert machine.disk_of(tmp_path / "none" / "adapter.db") is None
    assert statuses(machine.disk(None)) == ["skipped"]


def test_the_latest_finished_backup_counts(tmp_path: Path) -> None:
    for name, hours in (("monday.db", 60), ("tuesday.db", 30), ("wednesday.db.part", 1)):
        (tmp_path / name).write_bytes(b"backup")
        os.utime(tmp_path / name, (NOW.timestamp() - hours * 3600,) * 2)
    found = machine.latest_backup(tmp_path)
    assert found == BackupFile("tuesday.db", NOW - timedelta(hours=30), 6)
    assert statuses(machine.backup(tmp_path, found, NOW)) == ["ok"]
    assert statuses(machine.backup(tmp_path, found, NOW + timedelta(days=2))) == ["warning"]


def test_a_missing_backup_is_a_failure_where_a_folder_is_named(tmp_path: Path) -> None:
    assert statuses(machine.backup(tmp_path, machine.latest_backup(tmp_path), NOW)) == ["failure"]
    assert statuses(machine.backup(tmp_path, "No such file or directory", NOW)) == ["failure"]
    assert statuses(machine.backup(None, None, NOW)) == ["skipped"]


def test_problems_of_files_are_told_as_adapter_check_tells_them() -> None:
    doubt = Problem(Mark("a.yaml", 3, 1), "no rule uses it", "remove it", "warning")
    wrong = Problem(Mark("b.yaml", 9, 2), "no such field", "write `fields`")
    assert statuses(state.files([])) == ["ok"]
    assert statuses(state.files([doubt])) == ["warning"]
    (line,) = state.files([doubt, wrong])
    assert line.status == "failure"
    assert line.detail.startswith("b.yaml:9:2")
    assert "1 more" in line.detail


def test_what_the_server_says_of_itself() -> None:
    slow = {"name": "store", "ok": False, "detail": "no response within 2 seconds"}
    old = {"name": "files", "ok": False, "detail": "a.yaml:1:1 is wrong"}
    assert statuses(state.readiness(answer(200, {"ready": True, "checks": []}))) == ["ok"]
    assert statuses(state.readiness(answer(200, {"ready": True, "checks": [old]}))) == ["warning"]
    assert statuses(state.readiness(answer(503, {"ready": False, "checks": [slow]}))) == ["failure"]
    assert statuses(state.readiness(answer(502))) == ["failure"]
    assert statuses(state.readiness(answer(0))) == []


def test_the_schema_and_contents_of_the_store() -> None:
    assert statuses(state.schema("s", Schema(9, 9), "")) == ["ok"]
    assert statuses(state.schema("s", Schema(10, 9), "")) == ["warning"]
    assert statuses(state.schema("s", Schema(8, 9), "old")) == ["failure"]
    assert statuses(state.schema("s", Schema(10, 9, usable=False), "new")) == ["failure"]
    assert statuses(state.soundness([])) == ["ok"]
    assert statuses(state.soundness(["a code twice", "another"])) == ["failure"]
    assert statuses(state.soundness(None, "why")) == ["skipped"]


def test_destinations_that_rest_and_deliveries_given_up() -> None:
    rest = Rest("webhook", NOW, NOW + timedelta(hours=1), "answered 429")
    broken = Rest("segment", NOW, NOW + timedelta(hours=1), "answered 500", "open")
    found = list(state.destinations(["webhook", "segment", "crm"], [rest, broken], ["webhook"] * 2, NOW))
    assert [(each.check.split()[1], each.status) for each in found] == [
        ("crm", "ok"), ("segment", "warning"), ("webhook", "warning"), ("webhook", "warning")
    ]  # fmt: skip
    assert "answered 429" in found[2].detail
    assert "2 deliveries were given up" in found[3].detail
    assert statuses(state.destinations([], [], [], NOW)) == ["skipped"]


def test_a_test_push_that_is_refused_is_a_failure() -> None:
    assert state.pushed("webhook", Pushed(True, 200, None, "")).status == "ok"
    assert state.pushed("webhook", Pushed(False, 410, "answered 410", "")).status == "failure"
    assert state.pushed("core", "it has no test").status == "skipped"
