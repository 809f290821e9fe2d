"""OpenDSR: data subject requests and status callbacks, signed by the processor that sends them.

The signature is RSA (PKCS#1 v1.5, SHA-256) over the raw body, by the key of a certificate in the name of the
processor's domain: https://github.com/opengdpr/OpenDSR, and mParticle's documentation of its DSR API.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Struct

from adapter.errors import InvalidFiles, Unauthorised, Unreadable
from adapter.files.problems import Mark, Problem
from adapter.sources.mparticle.identities import MPID, canonical_kind, identity_text, text_id


class Certificate:
    """A processor's certificate, followed by those of its issuers as far as they were given.

    The operator configured them, so the last of them is trusted.
    """

    def __init__(self, pem: bytes) -> None:
        """Read PEM; raises ValueError when it holds no certificate, or the first one's key is not RSA."""
        self._chain = x509.load_pem_x509_certificates(pem)
        key = self._chain[0].public_key()
        if not isinstance(key, RSAPublicKey):
            raise ValueError("the key is not RSA")
        self._key = key

    @classmethod
    def read(cls, path: str) -> Certificate | None:
        """Return the certificate in a PEM file, None where no path is given; raises InvalidFiles."""
        if not path:
            return None
        try:
            return cls(Path(path).absolute().read_bytes())
        except (OSError, ValueError) as error:
            message = f"`mparticle.opendsr_certificate` cannot be read ({error})"
            problem = Problem(
                Mark(path, 1, 1), message, "name a PEM file whose first certificate has an RSA key"
            )
            raise InvalidFiles([problem]) from error

    def verify(
        self, body: bytes, signature: str | None, domain: str | None, ours: str, now: datetime
    ) -> None:
        """Raise Unauthorised unless `signature` (base64) is the one of `domain`, which must be `ours`."""
        if not signature or not domain:
            message = "the headers X-OpenDSR-Signature and X-OpenDSR-Processor-Domain are both required"
            raise Unauthorised(message, missing=True)
        if domain.lower() != ours.lower():
            raise Unauthorised("the processor's domain is not `mparticle.opendsr_domain`")
        self._require_valid(ours, now)
        try:
            self._key.verify(b64decode(signature, validate=True), body, PKCS1v15(), SHA256())
        except (InvalidSignature, binascii.Error, ValueError):
            raise Unauthorised("the signature is not the processor's") from None

    def _require_valid(self, domain: str, now: datetime) -> None:
        if domain.lower() not in _names(self._chain[0]):
            raise Unauthorised(
                "the certificate is not in the processor's name: see `mparticle.opendsr_certificate`"
            )
        for certificate in self._chain:
            if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
                raise Unauthorised("a certificate is not valid now: renew `mparticle.opendsr_certificate`")
        for certificate, issuer in zip(self._chain, self._chain[1:], strict=False):
            if not _issued(certificate, issuer):
                raise Unauthorised("the certificate's chain is broken: see `mparticle.opendsr_certificate`")


class Demand(Struct, frozen=True):
    """A data subject request; `identities` are (kind, value) in canonical kinds, those in the clear only."""

    request_id: str
    kind: Literal["erasure", "access", "portability"]
    identities: tuple[tuple[str, str], ...]
    controller_id: str = ""


class StatusChange(Struct, frozen=True):
    """A new status of a request that was made elsewhere; it has no identity."""

    request_id: str
    status: str


class _Body(Struct):
    subject_request_id: str
    subject_request_type: Literal["erasure", "access", "portability"] | None = None
    request_status: str | None = None
    controller_id: str | None = None
    subject_identities: Any = None
    extensions: dict[str, Any] | None = None


def decode(body: bytes) -> Demand | StatusChange:
    """Decode a body; raises Unreadable."""
    try:
        read = msgspec.json.decode(body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"the body is not an OpenDSR request: {error}") from None
    if read.request_status is not None:
        return StatusChange(read.subject_request_id, read.request_status)
    if read.subject_request_type is None:
        raise Unreadable("the body has neither `subject_request_type` nor `request_status`")
    more = [
        one.get("subject_identities") for one in (read.extensions or {}).values() if isinstance(one, dict)
    ]
    found = {pair for given in (read.subject_identities, *more) for pair in _identities(given)}
    return Demand(
        read.subject_request_id, read.subject_request_type, tuple(sorted(found)), read.controller_id or ""
    )


def _identities(given: Any) -> Iterator[tuple[str, str]]:
    """Yield identities from the object of version 3, or the array of the versions before it."""
    if isinstance(given, dict):
        entries = [
            (kind, one.get("value"), one.get("encoding")) for kind, one in given.items() if _is_object(one)
        ]
    elif isinstance(given, list):
        names = ("identity_type", "identity_value", "identity_format")
        entries = [tuple(one.get(name) for name in names) for one in given if _is_object(one)]
    else:
        entries = []
    for kind, value, encoding in entries:
        if not isinstance(kind, str) or encoding not in (None, "raw"):
            continue
        name = canonical_kind(kind)
        text = text_id(value) if name == MPID else identity_text(value)
        if text is not None:
            yield name, text


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _names(certificate: x509.Certificate) -> set[str]:
    """Return the host names of a certificate: its alternative ones, or without those its common name."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return {str(one.value).lower() for one in common}
    return {name.lower() for name in extension.value.get_values_for_type(x509.DNSName)}


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        authority = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError):
        return False
    return authority
