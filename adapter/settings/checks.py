"""What must hold between settings, each of which is well typed."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, urlsplit

from adapter.files.problems import Mark, Problem
from adapter.settings import dsn
from adapter.settings.fields import FIELDS, Keys
from adapter.settings.values import Settings


def check(settings: Settings, marks: Mapping[Keys, Mark]) -> list[Problem]:
    """Return what is wrong with the settings as a whole; `marks` says where the given ones stand."""
    return [
        Problem(marks.get(keys, Mark("default", 1, 1)), f"`{FIELDS[keys].name}` {message}", remedy)
        for keys, message, remedy in (
            *_address(settings),
            *_store(settings),
            *_workers(settings),
            *_keys(settings),
            *_webhook(settings),
        )
    ]


def _address(settings: Settings) -> Iterator[tuple[Keys, str, str]]:
    if not settings.server.loopback and not settings.guarded:
        message = f"is `{settings.server.host}`, but without secrets only this machine may be served"
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
        yield keys, "names no store that we know", remedy
    elif url.netloc or len(url.path) < 2:
        yield keys, "names no file", "write `sqlite:///` and then the path, `sqlite:////` for an absolute one"


def _workers(settings: Settings) -> Iterator[tuple[Keys, str, str]]:
    workers = settings.server.workers
    if workers > 1 and _split(settings.store.url).scheme == "sqlite":
        message = f"is {workers}, but only one process may write to a SQLite file"
        yield ("server", "workers"), message, "set it to 1, or name a postgresql:// store"


def _keys(settings: Settings) -> Iterator[tuple[Keys, str, str]]:
    if any(":" not in pair for pair in settings.mparticle.api_keys):
        yield ("mparticle", "api_keys"), "has an entry without a colon", "write each as `key:secret`"


def _webhook(settings: Settings) -> Iterator[tuple[Keys, str, str]]:
    webhook, section = settings.destinations.webhook, ("destinations", "webhook")
    if not webhook.url:
        return
    url = _split(webhook.url)
    if url.scheme not in ("http", "https") or not url.hostname:
        yield (*section, "url"), "is no web address", "write it whole, as in `https://example.com/discounts`"
    elif url.scheme == "http" and not webhook.allow_private_addresses:
        remedy = "write https://, or for a test set `allow_private_addresses = true`"
        yield (*section, "url"), "would send discounts unencrypted", remedy
    if not webhook.secrets:
        remedy = "set ADAPTER_DESTINATIONS_WEBHOOK_SECRETS to a `whsec_...` that the receiver knows"
        yield (*section, "secrets"), "is empty, but what leaves must be signed", remedy
    if not all(_standard(secret) for secret in webhook.secrets):
        remedy = "write `whsec_` and then 24 to 64 random bytes in base64"
        yield (*section, "secrets"), "has an entry that is no Standard Webhooks secret", remedy


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # an unclosed bracket
        return urlsplit("")


def _standard(secret: str) -> bool:
    """Whether a secret is `whsec_` and 24 to 64 bytes in base64, as the Standard Webhooks spec says."""
    try:
        return secret.startswith("whsec_") and 24 <= len(b64decode(secret[6:], validate=True)) <= 64
    except (binascii.Error, ValueError):
        return False
