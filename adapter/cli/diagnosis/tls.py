"""The certificate of the public address: valid to senders, and for how long."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from msgspec import Struct

from adapter.cli.diagnosis.finding import Finding, failure, ok, skipped, warning
from adapter.cli.diagnosis.web import TIMEOUT

_CHECK = "certificate"
_SOON, _NOW = 21, 3
_LOCAL = {"127.0.0.1", "localhost", "::1"}


class Handshake(Struct, frozen=True):
    """What a TLS handshake showed: the end of the certificate and the version, or why it failed.

    `invalid` says that the certificate itself was refused.
    """

    ends: datetime | None = None
    version: str = ""
    error: str = ""
    invalid: bool = False


def handshake(url: str, context: ssl.SSLContext) -> Handshake | None:
    """Return what a handshake with the server shows; None where the address is without TLS."""
    to = urlsplit(url)
    if to.scheme != "https":
        return None
    host = to.hostname or ""
    try:
        with (
            socket.create_connection((host, to.port or 443), TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            certificate = wrapped.getpeercert() or {}
            seconds = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
            return Handshake(datetime.fromtimestamp(seconds, UTC), wrapped.version() or "")
    except ssl.SSLCertVerificationError as error:
        return Handshake(error=error.verify_message or str(error), invalid=True)
    except OSError as error:
        return Handshake(error=str(error) or type(error).__name__)


def exposed(url: str) -> bool:
    """Return whether what is sent to an address can be read on the way: no https, and another machine."""
    to = urlsplit(url)
    return to.scheme != "https" and to.hostname not in _LOCAL


def certificate(url: str, found: Handshake | None, now: datetime) -> Iterator[Finding]:
    """Yield what a handshake says; Segment sends nothing to a certificate that it cannot verify."""
    if found is None:
        yield _plain(url)
    elif found.invalid:
        remedy = "install a certificate of a public authority for this host, with its intermediate ones"
        yield failure(_CHECK, f"senders refuse the certificate: {found.error}", remedy)
    elif found.ends is None:
        remedy = "see that the host name resolves, and that a firewall lets the port through"
        yield failure(_CHECK, f"no TLS connection to {url}: {found.error}", remedy)
    else:
        yield _lasting(found, found.ends, (found.ends - now).days)


def _plain(url: str) -> Finding:
    if not exposed(url):
        return skipped(_CHECK, "the address of this machine is without TLS", "name the public one with --url")
    remedy = "put a proxy with TLS before the server, as docs/deploy.md shows"
    return failure(_CHECK, "secrets and messages go unencrypted: the address has no https", remedy)


def _lasting(found: Handshake, ends: datetime, days: int) -> Finding:
    detail = f"valid until {ends:%Y-%m-%d}, {days} days, {found.version}"
    if days >= _SOON:
        return ok(_CHECK, detail)
    kind = failure if days < _NOW else warning
    return kind(_CHECK, detail, "renew it: senders send nothing once it has ended")
