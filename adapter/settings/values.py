"""Every setting, with its default. adapter.toml describes them."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import ip_address
from typing import Annotated, Literal

from msgspec import Meta, Struct

from adapter.settings.destinations.registry import Destinations
from adapter.settings.scalars import Days, Hours, Natural, Port, Positive, Seconds, Secrets


class Server(Struct, frozen=True):
    """Address, number of processes, and limits of requests."""

    host: str = "127.0.0.1"
    port: Port = 8000
    workers: Positive = 1
    max_body_bytes: Annotated[int, Meta(ge=1024)] = 5_000_000
    body_timeout_seconds: Seconds = 10

    @property
    def loopback(self) -> bool:
        """Whether the server listens on a loopback address."""
        return _is_loopback(self.host)


@cache
def _is_loopback(host: str) -> bool:
    """Cached, because every request asks, and parsing an address is slow."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Store(Struct, frozen=True):
    """The database."""

    url: str = "sqlite:///data/adapter.db"


#: Values that senders write instead of a missing id: see adapter.toml.
PLACEHOLDERS = (
    "undefined", "null", "nil", "none", "nan", "infinity", "n/a", "#n/a", "n.a.", "na", "void", "empty",
    "missing", "blank", "redacted", "unknown", "unknown user", "unknown_user", "unidentified", "unset",
    "not set", "not_set", "not available", "not_available", "anonymous", "anon", "anonymous user",
    "anonymous_user", "anonymoususer", "guest", "guest user", "guest_user", "guestuser", "visitor",
    "nobody", "noone", "no one", "test", "testing", "tester", "dummy", "fake", "sample", "example",
    "placeholder", "default", "string", "id", "userid", "user_id", "your_user_id", "anonymousid",
    "anonymous_id", "deviceid", "device_id", "email", "true", "false", "-", "--", "–", "—", "...", "?",
    "-1", "[object object]", "undefined undefined", "null null", "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "ffffffffffffffffffffffffffffffff", "9774d56d682e549c", "dead00beef", "02:00:00:00:00:00",
    "020000000000", "012345678912345", "004999010640000", "unknown@unknown.com", "none@none.com",
    "null@null.com", "undefined@undefined.com", "na@na.com", "no@email.com", "noemail@noemail.com",
    "test@test.com", "anonymous@anonymous.com",
)  # fmt: skip


class Identities(Struct, frozen=True):
    """Placeholders: values in the place of an id that identify no customer."""

    placeholders: tuple[str, ...] = PLACEHOLDERS
    more_placeholders: tuple[str, ...] = ()


class Files(Struct, frozen=True):
    """The directories of mapping and rule files."""

    mappings: str = "mappings"
    rules: str = "rules"


#: What a token of the API may do: a shop's checkout, reading, evaluating operations, running the server, all.
Role = Literal["checkout", "read", "evaluate", "operate", "admin"]


class Segment(Struct, frozen=True):
    """The credentials of Segment and its SDKs."""

    shared_secrets: Secrets = ()
    authorizations: Secrets = ()
    whole_signature_suffices: bool = False
    write_keys: Secrets = ()
    browser_origins: tuple[str, ...] = ()


class MParticle(Struct, frozen=True):
    """The credentials of mParticle and its SDKs, and the accepted environments."""

    authorizations: Secrets = ()
    api_keys: Secrets = ()
    accept_development: bool = False
    opendsr_certificate: str = ""
    opendsr_domain: str = "opendsr.mparticle.com"


class Api(Struct, frozen=True):
    """The credentials of callers of the native API: `tokens` may call all of it, the others a part."""

    tokens: Secrets = ()
    checkout_tokens: Secrets = ()
    read_tokens: Secrets = ()
    evaluate_tokens: Secrets = ()
    operate_tokens: Secrets = ()

    @property
    def by_role(self) -> dict[Role, Secrets]:
        """The tokens by the role that they give."""
        return {
            "checkout": self.checkout_tokens,
            "read": self.read_tokens,
            "evaluate": self.evaluate_tokens,
            "operate": self.operate_tokens,
            "admin": self.tokens,
        }

    @property
    def all_tokens(self) -> Secrets:
        """The tokens of all roles."""
        return tuple(token for tokens in self.by_role.values() for token in tokens)


class Ingest(Struct, frozen=True):
    """Limits of the queue before the server responds with 503, and which events are rewarded."""

    max_waiting: Positive = 20_000
    max_waiting_bytes: Positive = 64_000_000
    max_batch: Positive = 2_000
    max_event_bytes: Annotated[int, Meta(ge=1024)] = 262_144
    max_wait_seconds: Seconds = 3
    reward_within_hours: Hours = 72
    max_timers: Natural = 1_000_000
    max_firings_per_second: Annotated[int, Meta(ge=1, le=100_000)] = 200


class Retention(Struct, frozen=True):
    """Retention of temporary data."""

    message_days: Annotated[int, Meta(ge=1, le=36_500)] = 30
    event_days: Days = 400
    decision_days: Days = 90
    delivery_days: Days = 30
    quarantine_days: Days = 400
    pending_move_days: Annotated[int, Meta(ge=1, le=36_500)] = 30
    import_days: Annotated[int, Meta(ge=1, le=36_500)] = 7
    audit_days: Days = 400


class Imports(Struct, frozen=True):
    """Limits of imports over HTTP."""

    max_file_bytes: Positive = 1_000_000_000
    max_stored_bytes: Positive = 4_000_000_000
    max_waiting: Positive = 20


class Journal(Struct, frozen=True):
    """What is kept of messages as they arrived."""

    days: Days = 7
    max_mb: Positive = 1_000
    mask: tuple[str, ...] = ()


#: An entry of `console.tokens`: a name, a role, and the SHA-256 of a token in hexadecimal digits.
CONSOLE_TOKEN = re.compile(r"([^:]{1,100}):(read|operate|admin):([0-9a-f]{64})")


class Console(Struct, frozen=True):
    """The console: who may sign in beside the tokens of the API, and what the pages show and write.

    `tokens` are `NAME:ROLE:SHA-256`, as `adapter console token` prints them.
    """

    tokens: Secrets = ()
    session_hours: Annotated[int, Meta(ge=1, le=720)] = 12
    mask: tuple[str, ...] = ()
    write_files: bool = False


class Log(Struct, frozen=True):
    """The logs."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"
    reasons: bool = False


class Settings(Struct, frozen=True):
    """Everything an operator can set."""

    server: Server = Server()
    store: Store = Store()
    files: Files = Files()
    identities: Identities = Identities()
    segment: Segment = Segment()
    mparticle: MParticle = MParticle()
    api: Api = Api()
    ingest: Ingest = Ingest()
    imports: Imports = Imports()
    retention: Retention = Retention()
    journal: Journal = Journal()
    console: Console = Console()
    log: Log = Log()
    destinations: Destinations = Destinations()

    @property
    def auth_enabled(self) -> bool:
        """Whether any endpoint has a secret; then every endpoint needs one, and is disabled without it."""
        segment, mparticle = self.segment, self.mparticle
        return any(
            (
                segment.shared_secrets,
                segment.authorizations,
                segment.write_keys,
                mparticle.authorizations,
                mparticle.api_keys,
                self.api.all_tokens,
                self.console.tokens,
            )
        )
