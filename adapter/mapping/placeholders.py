"""Texts that senders put where they know no id: they identify no person and no device.

A message is mapped as it is, and the ids of what comes of it are looked up. Where one is a placeholder the
message is mapped again without those in it, so that a mapping falls back to the other ids as if the first
were missing. One that a mapping took from elsewhere falls back to the anonymous id or the mpid. So it is with
what cannot be an id, `true` or an object where an id is due, among the message's own ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any

from msgspec.structs import replace

from adapter.errors import MappingError
from adapter.model.customers import LINKING
from adapter.model.messages import Message
from adapter.model.operations import (
    CustomerErase,
    CustomerGroup,
    CustomerMerge,
    CustomerUpsert,
    DiscountMove,
    EventOccurred,
    Operation,
    OrderOperation,
)
from adapter.model.placeholders import PlaceholderTexts
from adapter.settings.values import PLACEHOLDERS

_IDS = ("userId", "anonymousId", "previousId")
#: Types of JSON that are no id.
_NO_ID = frozenset((bool, dict, list))
#: Where documents keep the device's id.
_DEVICE = ("context", "device")
#: Where documents keep the email address of who acted.
_EMAILS = (("traits",), ("properties",), ("context", "traits"))


class Placeholders(PlaceholderTexts):
    """Whole texts, trimmed and case-folded, and blanks; `met` counts those left out, by source and field."""

    def __init__(self, texts: Iterable[str] = PLACEHOLDERS) -> None:
        super().__init__(texts)
        self.met: Counter[tuple[str, str]] = Counter()

    def apart(self) -> Placeholders:
        """Return the same texts, which count for themselves what they meet."""
        found = copy(self)
        found.met = Counter()
        return found

    def stand_in(self, operations: Iterable[Operation]) -> bool:
        """Say whether any id of the operations is a placeholder."""
        texts: set[str | None] = set()
        for operation in operations:
            texts.update(_ids(operation))
        return any(map(self.__contains__, texts))

    def unusable(self, message: Message) -> bool:
        """Say whether an id of a message is blank or no id at all: no mapping makes an operation of it."""
        ids = [*map(message.document.get, _IDS), _device_id(message.document)]
        return any(type(id_) in _NO_ID or (type(id_) is str and id_.isspace()) for id_ in ids)

    def left_out(self, message: Message) -> Message:
        """Return a message without the placeholders among its own ids, identities and addresses."""
        document = self._without(message.document, _IDS, message.source)
        if type(_device_id(document)) in _NO_ID:
            self._drop(document, _DEVICE, "id", message.source, "device_id")
        if type(identities := document.get("identities")) is dict:
            document["identities"] = self._without(identities, identities, message.source, "identities")
        for path in _EMAILS:
            if _part(document, path).get("email") in self:
                self._drop(document, path, "email", message.source, "email")
        return replace(message, document=document)

    def resolved(self, operation: Operation, source: str) -> Operation:
        """Return an operation without placeholders; raises MappingError where no id is left to it."""
        if isinstance(operation, CustomerErase) or not self.stand_in((operation,)):
            return operation
        if isinstance(operation, DiscountMove | OrderOperation):
            self.met[source, "source_id"] += 1
            return replace(operation, source_id=None)
        if isinstance(operation, CustomerMerge) and operation.previous_id in self:
            raise self._without_id("previous_id", source)
        left = self._without(operation.identities, operation.identities, source, "identities")
        source_id = self._source_id(operation, left, source)
        if isinstance(operation, EventOccurred):
            return self._event(operation, source_id, left, source)
        changed = replace(operation, source_id=source_id, identities=left)
        if isinstance(changed, CustomerUpsert) and changed.fields.get("email") in self:
            return replace(changed, fields=self._without(changed.fields, ("email",), source))
        return changed

    def _event(
        self, operation: EventOccurred, source_id: str, identities: dict[str, str], source: str
    ) -> EventOccurred:
        user = operation.event.user
        for field in ("device_id", "email"):
            if getattr(user, field) in self:
                self.met[source, field] += 1
                user = replace(user, **{field: None})
        anonymous = identities.get("anonymous_id") or identities.get("mpid")
        user = replace(user, id=source_id, anonymous_id=anonymous)
        return replace(
            operation, source_id=source_id, identities=identities, event=replace(operation.event, user=user)
        )

    def _source_id(self, operation: Any, identities: Mapping[str, str], source: str) -> str:
        """Return an operation's key, or the visitor's; a merge means two certain people, and has no other."""
        if operation.source_id not in self:
            return str(operation.source_id)
        linked = [identities[kind] for kind in LINKING if kind in identities]
        if not linked or isinstance(operation, CustomerMerge):
            raise self._without_id("source_id", source)
        self.met[source, "source_id"] += 1
        return linked[0]

    def _without_id(self, field: str, source: str) -> MappingError:
        self.met[source, field] += 1
        return MappingError(
            f"`{field}` is a placeholder, which identifies no customer: see `identities.placeholders`"
        )

    def _drop(
        self, document: dict[str, Any], path: tuple[str, ...], name: str, source: str, label: str
    ) -> None:
        """Leave a member out of a part of the document, which is a copy down to there, and count it."""
        for step in path:
            document[step] = document = dict(document[step])
        del document[name]
        self.met[source, label] += 1

    def _is_none(self, value: Any) -> bool:
        return type(value) in _NO_ID or value in self

    def _without(
        self, values: Mapping[str, Any], names: Iterable[str], source: str, label: str = ""
    ) -> dict[str, Any]:
        """Return values without those names that are placeholders, which are counted."""
        gone = {name for name in names if self._is_none(values.get(name))}
        for name in gone:
            self.met[source, label or name] += 1
        return {name: value for name, value in values.items() if name not in gone}


def _part(document: dict[str, Any], path: Iterable[str]) -> dict[str, Any]:
    """Return a part of a document, an empty one where it is no object."""
    for step in path:
        part = document.get(step)
        if type(part) is not dict:
            return {}
        document = part
    return document


def _device_id(document: dict[str, Any]) -> Any:
    return _part(document, _DEVICE).get("id")


def _ids(operation: Operation) -> Iterable[str | None]:
    """Return the ids by which an operation means a customer or a device; an erasure means its id as it is."""
    if operation.__class__ is EventOccurred:
        user = operation.event.user
        return (operation.source_id, user.device_id, user.email, *operation.identities.values())
    if isinstance(operation, CustomerUpsert):
        return (operation.source_id, operation.fields.get("email"), *operation.identities.values())
    if isinstance(operation, CustomerMerge):
        return (operation.source_id, operation.previous_id, *operation.identities.values())
    if isinstance(operation, CustomerGroup):
        return (operation.source_id, *operation.identities.values())
    return (operation.source_id,) if isinstance(operation, DiscountMove | OrderOperation) else ()
