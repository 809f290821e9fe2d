"""Rows of events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapter.bulk.cells import BadCell, moment
from adapter.bulk.columns import EMPTY, Columns, as_object, put
from adapter.bulk.entries import BadRow, Entry, Reading, checked_id
from adapter.bulk.headers import Target
from adapter.bulk.kinds import EVENTS
from adapter.bulk.records import Record
from adapter.model.encoding import encode
from adapter.model.event_names import event_name
from adapter.model.events import Event, User
from adapter.model.ids import MAX_ID
from adapter.model.operations import EventOccurred
from adapter.model.times import CLOCK_SKEW, parse_timestamp

#: Event names are keys of triggers and histories.
_MAX_NAME = 256
#: Characters of 2024-01-01T00:00:00Z.
_UTC_LENGTH = 20
#: Ids that are remembered.
_REMEMBERED = 10_000
_USER = ("email", "device_id", "session_id", "anonymous_id")


class EventRows:
    """Turns records into entries with an `event`."""

    def __init__(self, reading: Reading, renamed: Mapping[str, str] | None = None) -> None:
        self._reading = reading
        self._plain_times = not reading.cells.date_format
        self._ids: dict[Any, str] = {}
        found = reading.model.attributes() if reading.model is not None else {}
        declared = {name: each[0] for name, each in found.items() if all(one.agrees(each[0]) for one in each)}
        self.columns = Columns(EVENTS, reading.cells, declared, renamed=renamed)

    def entry(self, record: Record) -> Entry:
        """Return what a record says; raises BadRow."""
        plain: dict[str, Any] = {}
        objects: dict[str, dict[str, Any]] = {"attributes": {}, "context": {}, "user": {}}
        for target, found, name in self.columns.values(record):
            if found is EMPTY:
                continue
            path = target.path
            if len(path) == 2 and target.index is None and path[0] in objects:
                objects[path[0]][path[1]] = found
            elif path[0] not in objects and type(found) is str:
                plain[path[0]] = found
            else:
                self._take(plain, objects, target, found, name)
        user = objects["user"]
        source_id = self._checked(plain.get("source_id", user.get("id")))
        name = _name(plain.get("name"))
        at, dated = self._moment(plain.get("occurred_at"))
        links = {"anonymous_id": user["anonymous_id"]} if user and user.get("anonymous_id") else {}
        who = _user(user, source_id) if user else User(source_id)
        attributes, context = objects["attributes"], objects["context"]
        id_ = _id(plain.get("id"))
        content = b""
        if not id_:
            content = encode((source_id, name, at if dated else None, who, attributes, context))
        event = Event(id_, name, at, who, attributes, context)
        operation = EventOccurred(source_id, event, links, undated=not dated)
        identity = _digest(plain.get("identity"))
        return Entry(record, source_id, (operation,), id_, at, identity=identity, content=content)

    def _checked(self, found: Any) -> str:
        """Return the id of a person; a customer has many events, so the last ones are remembered."""
        known = self._ids.get(found) if type(found) is str else None
        if known is None:
            known = checked_id(found, "user", self._reading.is_placeholder)
            if len(self._ids) >= _REMEMBERED:
                self._ids.clear()
            self._ids[found] = known
        return known

    def _take(
        self, plain: dict[str, Any], objects: dict[str, dict[str, Any]], target: Target, found: Any, name: str
    ) -> None:
        root, path = target.path[0], target.path
        if root not in objects:
            if root == "source_id" and isinstance(found, dict):
                objects["user"].update(found)
            else:
                plain[root] = found
        elif len(path) == 1:
            objects[root].update(as_object(found, name))
        else:
            put(objects[root], path[1:], found, target.index)

    def _moment(self, found: Any) -> tuple[datetime, bool]:
        """Return when the event occurred, and whether the row says so."""
        reading = self._reading
        if found is None or found == "":
            return reading.as_of or reading.now, False
        at: datetime | None
        if type(found) is str and len(found) == _UTC_LENGTH and found[-1] == "Z" and self._plain_times:
            try:
                at = datetime.fromisoformat(found)
            except ValueError:
                raise BadRow(f"occurred_at `{found}` is not a time", "occurred_at") from None
        elif isinstance(found, datetime):
            at = found
        elif isinstance(found, str):
            try:
                at = moment(found, reading.cells)
            except BadCell as error:
                raise BadRow(str(error), "occurred_at") from None
        else:
            at = parse_timestamp(found)
        if at is None:
            raise BadRow("occurred_at is not a time", "occurred_at")
        if at > reading.now + CLOCK_SKEW:
            raise BadRow(f"timestamp {at:%Y-%m-%d} lies in the future", "occurred_at")
        return at, True


def _user(user: dict[str, Any], source_id: str) -> User:
    return User(_text(user.get("id"), "id") or source_id, *[_text(user.get(each), each) for each in _USER])


def _name(found: Any) -> str:
    if not isinstance(found, str) or not found.strip():
        raise BadRow("name is empty", "name")
    if len(found) > _MAX_NAME or "\0" in found:
        raise BadRow(f"name is longer than {_MAX_NAME} characters, or holds NUL", "name")
    return event_name(found)


def _id(found: Any) -> str:
    if found is None:
        return ""
    if isinstance(found, bool) or not isinstance(found, (str, int)):
        raise BadRow("id is not text", "id")
    text = str(found).strip()
    if len(text) > MAX_ID or "\0" in text:
        raise BadRow(f"id is longer than {MAX_ID} characters, or holds NUL", "id")
    return text


def _digest(found: Any) -> bytes:
    try:
        return bytes.fromhex(found) if isinstance(found, str) else b""
    except ValueError:
        raise BadRow("import.identity is not what an export wrote", "import.identity") from None


def _text(found: Any, what: str) -> str | None:
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, (bool, dict, list)):
        raise BadRow(f"user.{what} is not text", what)
    return str(found)
