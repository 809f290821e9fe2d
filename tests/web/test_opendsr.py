"""Data subject requests: authentication, the customers that they name, and their responses."""

from __future__ import annotations

import contextlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec.structs import replace

from adapter.app import compose
from adapter.errors import InvalidFiles
from adapter.settings.fields import Keys, build
from adapter.sources.opendsr import Certificate
from adapter.web import application

PATH, DOMAIN = "/webhooks/mparticle/opendsr", "opendsr.mparticle.com"
ERASURE = {
    "regulation": "gdpr", "subject_request_id": "r1", "subject_request_type": "erasure", "api_version": "3.0",
    "submitted_time": "2024-07-15T18:00:00Z", "subject_identities": {
        "controller_customer_id": {"value": "u1", "encoding": "raw"},
        "email": {"value": "u@x.test", "encoding": "raw"},
        "mobile_number": {"value": "1", "encoding": "raw"},
    },
    "extensions": {"opendsr.mparticle.com": {
        "subject_identities": {"mpid": {"value": "42", "encoding": "raw"}}
    }},
}  # fmt: skip
NOW = datetime.fromisoformat("2024-07-15T18:24:10+00:00")
DAY = timedelta(days=1)
ROOT_KEY, KEY, OTHER_KEY = (rsa.generate_private_key(65537, 2048) for _ in range(3))


def certificate(
    key: Any, signer: Any, *, name: str = DOMAIN, issuer: str = "root", ca: bool = False,
    since: datetime = NOW - DAY, until: datetime = NOW + DAY, alternative: str | None = None,
) -> x509.Certificate:  # fmt: skip
    """Return a certificate; `alternative` is its alternative name."""
    subject, by = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, each)]) for each in (name, issuer))
    builder = x509.CertificateBuilder(
        by, subject, key.public_key(), 1 + x509.random_serial_number(), since, until
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if alternative:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(alternative)]), critical=False
        )
    return builder.sign(signer, SHA256())


def pem(*chain: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in chain)


ROOT = certificate(ROOT_KEY, ROOT_KEY, name="root", ca=True)
GOOD = pem(certificate(KEY, ROOT_KEY), ROOT)


def signed(body: bytes, key: Any = KEY, algorithm: HashAlgorithm | None = None) -> dict[str, str]:
    signature = key.sign(body, padding.PKCS1v15(), algorithm or SHA256())
    return {"X-OpenDSR-Signature": b64encode(signature).decode(), "X-OpenDSR-Processor-Domain": DOMAIN}


@pytest.fixture
def connect_with(context: Callable[..., Any]) -> Callable[..., httpx.AsyncClient]:
    """Return a maker of clients of the application that trusts a chain, at a moment."""

    def make(chain: bytes | None = GOOD, now: datetime = NOW) -> httpx.AsyncClient:
        opened = replace(context(), clock=lambda: now)
        opened.in_force.opendsr = Certificate(chain) if chain else None
        transport = httpx.ASGITransport(application.Application(opened), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    return make


async def test_white_space_around_a_signature_and_a_domain_is_ignored(connect_with: Any) -> None:
    body = json.dumps(ERASURE).encode()
    padded = {name: f" {value} \t" for name, value in signed(body).items()}
    assert (await connect_with().post(PATH, content=body, headers=padded)).status_code == 202


async def test_an_erasure_removes_every_customer_it_names_and_is_answered(
    connect_with: Any, services: Any
) -> None:
    services.emails["u@x.test"] = ["u1", "u9"]
    body = json.dumps(ERASURE).encode()
    response = await connect_with().post(PATH, content=body, headers=signed(body))
    assert response.status_code == 202
    assert {name for name, *_ in services.erased} == {"42", "u1", "u9", "u@x.test"}
    assert {(by, request) for _, by, request in services.erased} == {("opendsr", "r1")}
    accepted = response.json()
    assert b64decode(accepted.pop("encoded_request")) == body
    assert accepted == {
        "controller_id": "", "subject_request_id": "r1", "received_time": "2024-07-15T18:24:10Z",
        "expected_completion_time": "2024-07-15T18:24:10Z",
    }  # fmt: skip


async def test_the_form_of_earlier_versions_is_accepted_and_hashes_name_no_customer(
    connect_with: Any, services: Any
) -> None:
    identities = [
        {"identity_type": "controller_customer_id", "identity_value": "u1", "identity_format": "raw"},
        {"identity_type": "email", "identity_value": "ab12", "identity_format": "sha256"},
    ]
    body = json.dumps(ERASURE | {"subject_identities": identities, "extensions": None}).encode()
    assert (await connect_with().post(PATH, content=body, headers=signed(body))).status_code == 202
    assert [name for name, *_ in services.erased] == ["u1"]


async def test_a_customers_id_is_taken_as_it_was_written(connect_with: Any, services: Any) -> None:
    identities = {
        "controller_customer_id": {"value": "007", "encoding": "raw"},
        "mpid": {"value": "042", "encoding": "raw"},
        "customer_id": {"value": "0"},
    }
    body = json.dumps(ERASURE | {"subject_identities": identities, "extensions": None}).encode()
    await connect_with().post(PATH, content=body, headers=signed(body))
    assert {name for name, *_ in services.erased} == {"0", "007", "42"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"request_status": "completed", "subject_request_type": None}, 202),
        ({"subject_request_type": "access"}, 400),
        ({"subject_request_type": "portability"}, 400),
        ({"subject_request_type": "cake"}, 400),
        ({"subject_request_type": None}, 400),
        ({"subject_request_id": None}, 400),
        ({"subject_identities": {}, "extensions": None}, 400),
        ({"subject_identities": 7, "extensions": {"x": 7}}, 400),
    ],
)
async def test_other_requests_erase_no_customer(
    change: dict[str, Any], status: int, connect_with: Any, services: Any
) -> None:
    body = json.dumps(ERASURE | change).encode()
    response = await connect_with().post(PATH, content=body, headers=signed(body))
    assert (response.status_code, services.erased) == (status, [])


BODY = json.dumps(ERASURE).encode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (signed(BODY) | {"X-OpenDSR-Processor-Domain": ""}, 401),
        (signed(BODY) | {"X-OpenDSR-Processor-Domain": "evil.test"}, 403),
        (signed(BODY) | {"X-OpenDSR-Signature": "not base64!"}, 403),
        (signed(BODY) | {"X-OpenDSR-Signature": "QUFB"}, 403),
        (signed(BODY + b" "), 403),
        (signed(BODY, OTHER_KEY), 403),
        (signed(BODY, algorithm=SHA1()), 403),
    ],
)
async def test_without_the_signature_of_the_processor_no_customer_is_erased(
    headers: dict[str, str], status: int, connect_with: Any, services: Any
) -> None:
    response = await connect_with().post(PATH, content=BODY, headers=headers)
    assert (response.status_code, services.erased) == (status, [])


CHAINS = {
    "alone": (pem(certificate(KEY, ROOT_KEY)), 202),
    "by alternative name": (pem(certificate(KEY, ROOT_KEY, name="x", alternative=DOMAIN.upper()), ROOT), 202),
    "another's": (pem(certificate(KEY, ROOT_KEY, name="evil.test"), ROOT), 403),
    "another's by alternative name": (pem(certificate(KEY, ROOT_KEY, alternative="evil.test"), ROOT), 403),
    "over": (pem(certificate(KEY, ROOT_KEY, since=NOW - 2 * DAY, until=NOW - DAY), ROOT), 403),
    "to come": (pem(certificate(KEY, ROOT_KEY, since=NOW + DAY, until=NOW + 2 * DAY), ROOT), 403),
    "issued by nobody there": (pem(certificate(KEY, OTHER_KEY), ROOT), 403),
    "issued by no authority": (
        pem(certificate(KEY, ROOT_KEY), certificate(ROOT_KEY, ROOT_KEY, name="root")), 403),
    "of an issuer that is over": (
        pem(certificate(KEY, ROOT_KEY),
            certificate(ROOT_KEY, ROOT_KEY, name="root", ca=True, since=NOW - 2 * DAY,
                        until=NOW - DAY)), 403),
}  # fmt: skip


@pytest.mark.parametrize(("chain", "status"), CHAINS.values(), ids=CHAINS)
async def test_the_certificate_must_be_valid_for_the_domain_and_time(
    chain: bytes, status: int, connect_with: Any
) -> None:
    assert (await connect_with(chain).post(PATH, content=BODY, headers=signed(BODY))).status_code == status


@pytest.mark.parametrize(("now", "status"), [(NOW + DAY, 202), (NOW + DAY + timedelta(seconds=1), 403)])
async def test_a_certificate_is_checked_by_the_given_clock(
    now: datetime, status: int, connect_with: Any
) -> None:
    assert (await connect_with(now=now).post(PATH, content=BODY, headers=signed(BODY))).status_code == status


async def test_without_a_certificate_the_endpoint_is_disabled(connect_with: Any, services: Any) -> None:
    response = await connect_with(None).post(PATH, content=BODY, headers=signed(BODY))
    assert (response.status_code, services.erased) == (403, [])
    assert "ADAPTER_MPARTICLE_OPENDSR_CERTIFICATE" in response.text


def test_an_invalid_certificate_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    for wrong in (b"", b"nope", pem(certificate(key, ROOT_KEY))):
        with pytest.raises(ValueError, match=r".+"):
            Certificate(wrong)


@pytest.mark.parametrize(("content", "fine"), [(GOOD, True), (b"nope", False), (None, False)])
def test_the_adapter_does_not_start_with_an_invalid_certificate(
    content: bytes | None, fine: bool, tmp_path: Path
) -> None:
    file = tmp_path / "opendsr.pem"
    if content is not None:
        file.write_bytes(content)
    for name in ("mappings", "rules"):
        (tmp_path / name).mkdir()
    chosen: dict[Keys, Any] = {
        ("files", "mappings"): str(tmp_path / "mappings"), ("files", "rules"): str(tmp_path / "rules"),
        ("store", "url"): "sqlite:///:memory:", ("mparticle", "opendsr_certificate"): str(file),
    }  # fmt: skip
    with contextlib.nullcontext() if fine else pytest.raises(InvalidFiles, match="opendsr_certificate"):
        compose(build(chosen))
