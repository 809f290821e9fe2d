"""`adapter doctor`: the certificate, the address, large bodies, speed and clocks."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from adapter.cli.diagnosis import reachability, tls
from adapter.cli.diagnosis.tls import Handshake
from adapter.cli.diagnosis.web import Answer
from adapter.settings.values import Ingest, Server, Settings
from tests.cli.doctor_values import NOW, SETTINGS, URL, answer, error, statuses


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
