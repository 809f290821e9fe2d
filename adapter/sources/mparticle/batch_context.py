"""What an mParticle batch says once for all its events: who, where, when."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from adapter.errors import MappingError
from adapter.model.own_messages import PREFIX
from adapter.model.times import iso_text, parse_timestamp
from adapter.sources.mparticle.identities import ZERO_GUID, identities, set_text, text_id

#: Channels through which our own events can come back; phones and browsers never send them.
_SERVERS = (None, "server_to_server", "partner", "unknown")
_CONTEXT = {
    "application_info": "application",
    "consent_state": "consent",
    "attribution_info": "attribution",
    "source_info": "source",
    "integration_attributes": "integrations",
    "partner_identities": "partner_identities",
    "system_notifications": "system_notifications",
    "ip": "ip",
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}\Z")
_COUNTRY = re.compile(r"[A-Za-z]{2}\Z")
_NUMBER = re.compile(r"[-+]?[0-9]{1,4}(\.[0-9]{1,4})?\Z")
#: The hours by which a clock can differ from UTC.
_FARTHEST = 14
_AHEAD = timedelta(days=1)
#: mParticle is younger; what claims to be older is a number with a digit lost.
_FIRST_YEAR = 2000


class Batch(Struct):
    """The shared part of a batch's documents; `faults` says what of it could not be read."""

    raw: dict[str, Any]
    received_at: datetime
    ids: tuple[str | None, ...]
    user_id: str | None
    mpid: str | None
    identities: dict[str, str]
    traits: dict[str, Any]
    deleted: list[str]
    context: dict[str, Any]
    replayed: bool
    ours: bool
    from_server: bool
    faults: list[str]

    @property
    def sent(self) -> Any:
        """The batch's own time, as it was written."""
        return self.raw.get("timestamp_unixtime_ms")

    @property
    def id(self) -> str | None:
        """The id that tells this batch from others, where it has one."""
        return next((identifier for identifier in self.ids if identifier), None)


def read_batch(raw: dict[str, Any], events: list[Any], received_at: datetime) -> Batch:
    """Read the shared part; `raw` is the batch without its events."""
    faults: list[str] = []
    known = _identities(raw, faults)
    traits, deleted = _traits(raw, events, faults)
    source = raw.get("source_info")
    source = source if type(source) is dict else {}
    ids = tuple(set_text(raw.get(name)) for name in ("message_id", "batch_id", "source_request_id"))
    from_server = source.get("channel") in _SERVERS
    return Batch(
        raw=raw,
        received_at=received_at,
        ids=ids,
        user_id=known.get("customer_id"),
        mpid=text_id(raw.get("mpid")),
        identities=known,
        traits=traits,
        deleted=deleted,
        context=context_of(raw),
        replayed=_replayed(source),
        ours=from_server and (ids[2] or "").startswith(PREFIX),
        from_server=from_server,
        faults=faults,
    )


def times_of(received_at: datetime, own: Any, start: Any = None, sent: Any = None) -> dict[str, Any]:
    """Return the members of a document that say when: the first believable time, else that of receipt.

    Device clocks and lost digits make times that are not: those before 2000 and more than a day ahead.
    Where the `own` time cannot be read, it is the `unreadTimestamp`, and the event's `start`, which says
    when it happened, the `originalTimestamp` too.
    """
    moments = [_believable(value, received_at) for value in (own, start, sent)]
    taken = next((moment for moment in moments if moment is not None), received_at)
    times: dict[str, Any] = {"timestamp": iso_text(taken)}
    read = parse_timestamp(own)
    unset = not own or (type(own) is str and set_text(own) is None)
    if not unset and (read is None or read.year < _FIRST_YEAR):
        times["unreadTimestamp"] = own
        if moments[1] is not None:
            times["originalTimestamp"] = iso_text(moments[1])
    return times


def _believable(value: Any, received_at: datetime) -> datetime | None:
    moment = parse_timestamp(value)
    if moment is None or moment.year < _FIRST_YEAR or moment - received_at > _AHEAD:
        return None
    return moment


def context_of(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the context: device (with `id`), application, consent, environment in lower case …

    A batch without an environment is production, as mParticle's reference says.
    """
    environment = raw.get("environment")
    context: dict[str, Any] = {
        "environment": environment.lower() if type(environment) is str and environment else "production"
    }
    for field, name in _CONTEXT.items():
        if raw.get(field):
            context[name] = raw[field]
    device = raw.get("device_info")
    fields = device.items() if type(device) is dict else ()
    kept = {name: value for name, value in fields if value is not None and value != ZERO_GUID}
    device_id = text_id(raw.get("mp_deviceid"))
    if device_id is not None:
        kept["id"] = device_id
    if kept:
        context["device"] = kept
        context.update(_place(kept))
    own = raw.get("context")
    if type(own) is dict:
        context.update((name, value) for name, value in own.items() if value is not None)
    return context


def _place(device: dict[str, Any]) -> dict[str, str]:
    """Return the locale of a device as Segment has it, `de-DE`, and its offset from UTC, `+01:00`."""
    found = {}
    language, country = device.get("locale_language"), device.get("locale_country")
    if type(language) is str and _LANGUAGE.match(language):
        region = f"-{country.upper()}" if type(country) is str and _COUNTRY.match(country) else ""
        found["locale"] = language.lower() + region
    offset = _number(device.get("timezone_offset"))
    if offset is not None and abs(offset) <= _FARTHEST:
        minutes = round(abs(offset) * 60)
        found["timezone"] = f"{'-' if offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
    return found


def _number(value: Any) -> float | None:
    """Return a number, or text that is one; None for anything else."""
    if type(value) is str and _NUMBER.match(value):
        return float(value)
    return float(value) if type(value) in (int, float) else None


def _identities(raw: dict[str, Any], faults: list[str]) -> dict[str, str]:
    try:
        return identities(raw.get("user_identities"))
    except MappingError as error:
        faults.append(error.message)
        return {}


def _traits(raw: dict[str, Any], events: list[Any], faults: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the attributes as they stand after the batch, and the names of those deleted.

    An attribute both set and deleted stays set; reserved names (`$FirstName`) are put in lower case.
    """
    attributes = raw.get("user_attributes")
    if attributes is not None and type(attributes) is not dict:
        faults.append("`user_attributes` is not an object")
        attributes = None
    traits = {trait_name(name): value for name, value in attributes.items()} if attributes else {}
    gone = raw.get("deleted_user_attributes")
    if gone is not None and type(gone) is not list:
        faults.append("`deleted_user_attributes` is not an array")
    deleted = {trait_name(name): True for name in gone if type(name) is str} if type(gone) is list else {}
    snapshot = frozenset(traits)
    for event in events:
        if type(event) is dict and event.get("event_type") == "user_attribute_change":
            _change(event.get("data"), snapshot, traits, deleted)
    return traits, [name for name in deleted if name not in traits]


def _change(data: Any, snapshot: frozenset[str], traits: dict[str, Any], deleted: dict[str, bool]) -> None:
    """Follow one change in an attribute that the snapshot, which is from after it, does not have."""
    name = data.get("user_attribute_name") if type(data) is dict else None
    if type(name) is not str or trait_name(name) in snapshot:
        return
    if data.get("deleted") is True:
        traits.pop(trait_name(name), None)
        deleted[trait_name(name)] = True
    else:
        traits[trait_name(name)] = data.get("new")


def trait_name(name: str) -> str:
    """Return an attribute's name as traits have it: reserved ones (`$FirstName`) in lower case."""
    return name.lower() if name.startswith("$") else name


def _replayed(source: dict[str, Any]) -> bool:
    return bool(
        source.get("replay_request_id")
        or source.get("replay_job_id")
        or source.get("is_historical") in (True, "true")
    )
