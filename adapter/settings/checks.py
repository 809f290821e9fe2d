"""Check the settings as a whole, after the type of each was checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from adapter.files.problems import Mark, Problem
from adapter.settings import dsn
from adapter.settings.destinations.core import Core
from adapter.settings.destinations.registry import problems as destination_problems
from adapter.settings.fields import FIELDS, Keys
from adapter.settings.values import CONSOLE_TOKEN, Settings

_ERROR: Literal["error"] = "error"
_WARNING: Literal["warning"] = "warning"
_NAMED = re.compile(r"[\"']?authorization\s*:", re.IGNORECASE)
_QUOTES = ('"', "'", "`")
#: As browsers write it: no path, no default port, no wildcard.
_ORIGIN = re.compile(
    r"(?!http://[^/]*:80$|https://[^/]*:443$)"
    r"[a-z][a-z0-9+.-]*://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?"
)
_PLACEHOLDER = re.compile(r"<[^<>]*>")


def check(settings: Settings, marks: Mapping[Keys, Mark]) -> list[Problem]:
    """Return the problems of the settings as a whole; `marks` has the places of the given ones.

    A value that is probably a mistake, but may be intended, is a warning.
    """
    wrong = [
        *_address(settings),
        *_store(settings),
        *_workers(settings),
        *_keys(settings),
        *_console(settings),
        *_origins(settings),
        *_destinations(settings),
        *_core(settings),
    ]
    doubtful = [
        *_waived(settings),
        *(
            wrong
            for keys in FIELDS
            if keys[1:] == ("authorizations",)
            for wrong in _authorizations(keys, getattr(settings, keys[0]).authorizations)
        ),
    ]
    return [
        Problem(marks.get(keys, Mark("default", 1, 1)), f"`{'.'.join(keys)}` {message}", remedy, severity)
        for found, severity in ((wrong, _ERROR), (doubtful, _WARNING))
        for keys, message, remedy in found
    ]


def _address(settings: Settings) -> Iterator[tuple[Keys, str, str]]:
    host = settings.server.host
    if not host.isprintable() or any(map(str.isspace, host)):
        yield ("server", "host"), f"is `{host}`, which is no address", "write 127.0.0.1, or a host name"
    if not settings.server.loopback and not settings.auth_enabled:
        message = f"is `{settings.server.host}`, but without secrets only loopback addresses are allowed"
        remedy = (
            "set `segment.shared_secrets`, `mparticle.authorizations` or `api.tokens` "
            "(ADAPTER_SEGMENT_SHARED_SECRETS and so on), or use 127.0.0.1"
        )
        yield ("server", "host"), message, remedy


def _store(settings: Settings) -> Iterator[tuple[Keys, str, str]]:
    keys = ("store", "url")
    if dsn.is_postgresql(settings.store.url):
        if trouble := dsn.trouble(settings.store.url):
            yield keys, trouble, dsn.REMEDY
        return
    url = _split(settings.store.url)
    if url.scheme != "sqlite":
        remedy = "write `sqlite:///data/adapter.db` or `postgresql://user@host/database`"
        yield keys, "has an unknown scheme", remedy
    elif url.netloc or len(url.path) < 2 or url.path.endswith("/"):
        yield (
            keys,
            "has no file name",
            "write `sqlite:///` and then the path, `sqlite:////` for an absolute one",
        )


def _workers(settings: Settings) -> Iterator[tuple[Keys, str, str]]:
    workers = settings.server.workers
    if workers > 1 and _split(settings.store.url).scheme == "sqlite":
        message = f"is {workers}, but only one process may write to a SQLite file"
        yield ("server", "workers"), message, "set it to 1, or name a postgresql:// store"


def _keys(settings: Settings) -> Iterator[tuple[Keys, str, str]]:
    if any(":" not in pair for pair in settings.mparticle.api_keys):
        yield ("mparticle", "api_keys"), "has an entry without a colon", "write each as `key:secret`"


def _console(settings: Settings) -> Iterator[tuple[Keys, str, str]]:
    if not all(CONSOLE_TOKEN.fullmatch(given) for given in settings.console.tokens):
        message = "has an entry that is not `NAME:ROLE:SHA-256`"
        yield ("console", "tokens"), message, "write what `adapter console token --name NAME` prints"


def _origins(settings: Settings) -> Iterator[tuple[Keys, str, str]]:
    for origin in settings.segment.browser_origins:
        if not _ORIGIN.fullmatch(origin):
            message = f"has `{origin}`, which is not an origin that browsers send"
            remedy = (
                "write scheme and host in lower case, as in `https://shop.example`, one entry for each site"
            )
            yield ("segment", "browser_origins"), message, remedy


def _core(settings: Settings) -> Iterator[tuple[Keys, str, str]]:
    """Yield what is wrong with a remote core among all the other settings."""
    cores = [(name, each) for name, each in settings.destinations.by_name.items() if isinstance(each, Core)]
    for name, core in cores:
        keys, most = ("destinations", name), settings.ingest.max_wait_seconds * 1000
        if core.wait_ms >= most:
            message = f"is {core.wait_ms}, but responses are given up after {most} ms"
            yield (*keys, "wait_ms"), message, "write less than `ingest.max_wait_seconds`"
        if _is_this_server(core.url, settings):
            yield (
                (*keys, "url"),
                "is the address of this server itself",
                "write that of the instance that decides",
            )
    for name, _ in cores[1:]:
        message = f"is a second core, beside `{cores[0][0]}`, and only one instance may decide"
        yield ("destinations", name, "type"), message, "remove one of the two"


def _is_this_server(url: str, settings: Settings) -> bool:
    parts = _split(url)
    own = {settings.server.host, *(("localhost", "127.0.0.1", "::1") if settings.server.loopback else ())}
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return False
    return parts.hostname in own and port == settings.server.port


def _waived(settings: Settings) -> Iterator[tuple[Keys, str, str]]:
    segment = settings.segment
    if segment.whole_signature_suffices and not (segment.shared_secrets and segment.authorizations):
        message = "has no effect without both `segment.shared_secrets` and `segment.authorizations`"
        yield ("segment", "whole_signature_suffices"), message, "set both, or remove it"


def _authorizations(keys: Keys, values: Iterable[str]) -> Iterator[tuple[Keys, str, str]]:
    """Yield suspicious values of Authorization headers, without repeating them."""
    whole = "write the complete value of the header as it is sent, as in `Bearer abc`"
    for value in values:
        if _NAMED.match(value):
            yield keys, "has an entry that begins with the header's name", whole
        if value[:1] in _QUOTES or value[-1:] in _QUOTES:
            yield keys, "has an entry in quotes, which would be part of the value", whole
        if _PLACEHOLDER.search(value):
            remedy = "replace `<...>` by a long random text, here and at the sender"
            yield keys, "has an entry with a placeholder, which is easy to guess", remedy


def _destinations(settings: Settings) -> Iterator[tuple[Keys, str, str]]:
    for name, (setting, message, remedy) in destination_problems(settings.destinations):
        yield ("destinations", name, setting), message, remedy


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # an unclosed bracket
        return urlsplit("")
