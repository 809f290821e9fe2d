"""Rows of customers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from adapter.bulk.cells import BadCell, day, moment
from adapter.bulk.columns import EMPTY, Columns, as_object, put
from adapter.bulk.entries import BadRow, Entry, Reading, checked_id
from adapter.bulk.headers import Target
from adapter.bulk.kinds import CUSTOMERS
from adapter.bulk.records import Record
from adapter.model.customers import LINKING, TEXT_FIELDS, Customer
from adapter.model.operations import CustomerUpsert
from adapter.model.times import CLOCK_SKEW, parse_timestamp

#: Columns that an export alone writes.
_STORED = frozenset(("told_at", "groups", "merged", "known_as"))


class _Parts(msgspec.Struct):
    """What the cells of one row have said so far."""

    source_id: Any = None
    fields: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    identities: dict[str, str] = {}
    segments: list[str] = []
    left: list[str] = []
    removed_fields: list[str] = []
    removed_traits: list[str] = []
    stored: dict[str, Any] = {}
    at: datetime | None = None


class CustomerRows:
    """Turns records into entries with a `customer.upsert`."""

    def __init__(self, reading: Reading, renamed: Mapping[str, str] | None = None) -> None:
        self._reading = reading
        declared = reading.model.traits if reading.model is not None else {}
        self.columns = Columns(CUSTOMERS, reading.cells, declared, renamed=renamed)

    def entry(self, record: Record) -> Entry:
        """Return what a record says; raises BadRow."""
        parts = _Parts()
        fields, traits = parts.fields, parts.traits
        for target, found, name in self.columns.values(record):
            path = target.path
            # Most are text of a field, or a trait.
            if found is EMPTY or len(path) != 2 or target.index is not None:
                self._take(parts, target, found, name)
            elif path[0] == "traits":
                traits[path[1]] = found
            elif path[0] == "fields" and type(found) is str:
                fields[path[1]] = found
            else:
                self._take(parts, target, found, name)
        source_id = checked_id(parts.source_id, "source_id", self._reading.is_placeholder)
        if "birthdate" in parts.fields and not parts.stored:  # an export has what the source has sent
            parts.fields["birthdate"] = self._day(parts.fields["birthdate"])
        operation = CustomerUpsert(
            source_id,
            parts.identities,
            parts.fields,
            parts.traits,
            tuple(parts.removed_traits),
            tuple(parts.removed_fields),
            tuple(parts.segments),
            tuple(parts.left),
        )
        stored = _stored(operation, parts.stored) if parts.stored else None
        return Entry(record, source_id, (operation,), at=parts.at or self._reading.as_of, stored=stored)

    def _take(self, parts: _Parts, target: Target, found: Any, name: str) -> None:
        root = target.path[0]
        if root == "source_id":
            parts.source_id = None if found is EMPTY else found
        elif found is EMPTY:
            if self._reading.cells.clear_empty:
                _clear(parts, target.path)
        elif root == "traits":
            _put(parts.traits, target, found, name)
        elif root == "fields":
            parts.fields[target.path[1]] = _text(found, name)
        elif root == "address":
            _put(parts.fields.setdefault("address", {}), target, found, name)
        elif root in _STORED:
            parts.stored[root] = found
        elif root == "updated_at":
            parts.at = self._moment(found, name)
        else:
            self._identity(parts, target, found, name)

    def _identity(self, parts: _Parts, target: Target, found: Any, name: str) -> None:
        if target.root == "segments":
            _segments(parts, target, found, name)
        elif len(target.path) == 1:
            for kind, each in as_object(found, name).items():
                parts.identities[kind] = self._identity_text(kind, each)
        else:
            parts.identities[target.path[1]] = self._identity_text(target.path[1], found)

    def _identity_text(self, kind: str, found: Any) -> str:
        if kind in LINKING:
            return checked_id(found, f"identities.{kind}", self._reading.is_placeholder)
        return _text(found, f"identities.{kind}")

    def _day(self, found: str) -> str:
        try:
            return day(found, self._reading.cells)
        except BadCell as error:
            raise BadRow(str(error), "birthdate") from None

    def _moment(self, found: Any, name: str) -> datetime:
        try:
            at = moment(found, self._reading.cells) if isinstance(found, str) else parse_timestamp(found)
        except BadCell as error:
            raise BadRow(str(error), name) from None
        if at is None:
            raise BadRow(f"{name} is not a time", name)
        if at > self._reading.now + CLOCK_SKEW:
            raise BadRow(f"{name} {at:%Y-%m-%d} lies in the future", name)
        return at


def _put(into: dict[str, Any], target: Target, found: Any, name: str) -> None:
    """Put a value below the root of its target, or all members of an object."""
    if len(target.path) == 1:
        into.update(as_object(found, name))
    else:
        put(into, target.path[1:], found, target.index)


def _clear(parts: _Parts, path: tuple[str, ...]) -> None:
    if path[0] == "traits" and len(path) == 2:
        parts.removed_traits.append(path[1])
    elif path[0] == "fields":
        parts.removed_fields.append(path[1])
    elif path[0] == "address" and len(path) == 2:
        parts.removed_fields.append(f"address.{path[1]}")


def _segments(parts: _Parts, target: Target, found: Any, name: str) -> None:
    """Take memberships: a list of segments, an object or columns of true and false."""
    if len(target.path) == 2:
        found = {target.path[1]: found}
    if isinstance(found, str):
        found = [each.strip() for each in found.split(",") if each.strip()]
    if isinstance(found, list):
        parts.segments += [_text(each, name) for each in found]
        return
    for segment, member in as_object(found, name).items():
        said = str(member).strip().lower()
        if said not in {"true", "false", "1", "0", "yes", "no"}:
            raise BadRow(f"{name} is neither true nor false", name)
        (parts.segments if said in {"true", "1", "yes"} else parts.left).append(segment)


def _text(found: Any, name: str) -> str:
    if isinstance(found, str):
        return found
    if isinstance(found, (bool, dict, list)):
        raise BadRow(f"{name} is not text", name)
    return str(found)


def _stored(facts: CustomerUpsert, more: Mapping[str, Any]) -> Customer:
    """Return the customer that an export wrote; raises BadRow for anything else."""
    text = {name: facts.fields.get(name) for name in TEXT_FIELDS}
    document = {
        "source_id": facts.source_id,
        **text,
        "address": facts.fields.get("address"),
        "traits": facts.traits,
        "identities": facts.identities,
        "segments": list(facts.joined_segments),
        **{name: each for name, each in more.items() if name != "known_as"},
    }
    try:
        return msgspec.convert(document, Customer)
    except msgspec.ValidationError as error:
        raise BadRow(f"a column of the export was changed: {error}") from None
