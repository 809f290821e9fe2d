"""Check a PostgreSQL URL as the driver reads it, before a connection is opened.

A password with a `/` that is not written as %2F ends the host: the driver then reads one part of it as a port
and the other as a database, and shows both in its errors. Errors here never contain parts of the URL.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qs, unquote, unquote_plus, urlsplit

REMEDY = (
    "write `postgresql://user@host:5432/database`, and in a password %2F for /, %3F for ?, %23 for #, "
    "%40 for @, %25 for %, %5B for [ and %5D for ]"
)
#: Parameters whose values are masked.
_SECRETS = ("password", "sslpassword")
#: Parameters of libpq that the driver does not support: it would send them to the server, which rejects them.
_OF_LIBPQ = frozenset({
    "channel_binding", "connect_timeout", "fallback_application_name", "gssdelegation", "gssencmode",
    "hostaddr", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval",
    "load_balance_hosts", "max_protocol_version", "min_protocol_version", "require_auth", "requirepeer",
    "requiressl", "sslcertmode", "sslcompression", "sslsni", "tcp_user_timeout",
})  # fmt: skip


def is_postgresql(url: str) -> bool:
    """Return whether a URL has the scheme of a PostgreSQL server."""
    scheme, separator, _ = url.partition("://")
    return bool(separator) and scheme in ("postgresql", "postgres")


def trouble(url: str) -> str | None:
    """Return why the driver would misread a URL, as the end of a sentence; None where it would not."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "has brackets without an IPv6 address, or an invalid character in its host"
    if "#" in url or "@" in parts.path + parts.query:
        return "has an `@` or `#` after its host"
    if parts.netloc.count("@") > 1:
        return "has more than one `@` before its host"
    return next(_wrong(parts), None)


def holds_password(url: str) -> bool:
    """Return whether a URL has a password; of an unreadable one, whether it might."""
    return "@" in url if trouble(url) else shown(url) != url


def shown(url: str) -> str:
    """Return a URL without its passwords; of an unreadable one, only the scheme."""
    if trouble(url):
        return f"{url.partition('://')[0]}://***"
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    user, colon, _ = login.partition(":")
    netloc = f"{user}:***@{hosts}" if colon else login + at + hosts
    query = "&".join(_masked(one) for one in parts.query.split("&"))
    return f"{parts.scheme}://{netloc}{parts.path}" + (f"?{query}" if parts.query else "")


def _masked(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}=***" if equals and unquote_plus(name) in _SECRETS else parameter


def _wrong(parts: SplitResult) -> Iterator[str]:
    try:
        query = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
    except ValueError:
        yield "has a parameter that is not `name=value`"
        return
    if strange := sorted(_OF_LIBPQ & query.keys()):
        yield f"has `{strange[0]}`, which the driver does not support; remove it"
    hosts = parts.netloc.rpartition("@")[2].split(",")
    more = [host for value in query.get("host", []) for host in value.split(",")]
    if (len(hosts) > 1 and not all(hosts)) or not all(more):
        yield "has an empty host"
    ports = [port for host in (*hosts, *more) if (port := _port(host)) is not None]
    ports += [port for value in query.get("port", []) for port in value.split(",")]
    if not all(port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536 for port in ports):
        yield "has a port that is not a number from 1 to 65535"


def _port(host: str) -> str | None:
    """Return the port after a host name or an IPv6 address in brackets, None when there is none."""
    _, colon, port = ("", "", "") if host.startswith("/") else host.rpartition("]")[2].partition(":")
    return unquote(port) if colon and port else None
