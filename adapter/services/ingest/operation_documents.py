"""Operations as JSON documents: what `POST /v1/evaluate` takes, and what is forwarded to a remote core.

A document has an `id`, an `action` and the members of the operation. The action `message` has a list of
`operations` instead: those of one message, which are applied together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, get_args

import msgspec
from msgspec.structs import asdict

from adapter.errors import MappingError
from adapter.mapping.actions.builders import MAX_NAME
from adapter.mapping.actions.field_types import identifier, identity_map, mapping, person, text
from adapter.model.customers import FIELDS, TEXT_FIELDS
from adapter.model.event_names import event_name
from adapter.model.messages import Message
from adapter.model.operations import DiscountMove, EventOccurred, Operation
from adapter.model.times import event_time

#: The source of messages that are such documents.
SOURCE: Final = "evaluate"
#: The action of a document with several operations.
TOGETHER: Final = "message"
#: The most operations of one message.
MOST_TOGETHER: Final = 100
#: The verbs of moves by their actions. An expiry is recorded by the sweep alone.
MOVES: Final = {f"discount.{verb}": verb for verb in ("apply", "release", "redeem", "revoke")}
_TAGS: Final = {each.__struct_config__.tag: each for each in get_args(Operation)}
#: Every action that a document may have.
ACTIONS: Final = frozenset({TOGETHER, *MOVES, *(tag for tag in _TAGS if tag != "discount")})


def unknown_action(document: dict[str, Any]) -> str | None:
    """Return the first action that this program does not know; None where it knows all."""
    for each in _members(document):
        action = each.get("action")
        if isinstance(action, str) and (
            action not in ACTIONS or (action == TOGETHER and each is not document)
        ):
            return action
    return None


def operations_of(message: Message) -> tuple[Operation, ...]:
    """Return the operations of a message that is a document; raises MappingError, which quotes no values."""
    document = message.document
    if document.get("action") != TOGETHER:
        return (_operation(document, message),)
    given = document.get("operations")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_TOGETHER:
        raise MappingError(f"`operations` is not a list of 1 to {MOST_TOGETHER} operations")
    return tuple(_operation(each, message) for each in given)


def members_of(operations: tuple[Operation, ...]) -> dict[str, Any]:
    """Return the members by which a document says operations: those of one, or a list of several."""
    if len(operations) == 1:
        return _members_of(operations[0])
    return {"action": TOGETHER, "operations": [_members_of(each) for each in operations]}


def _members_of(operation: Operation) -> dict[str, Any]:
    members = asdict(operation)
    if isinstance(operation, DiscountMove):
        if operation.unit_type is None:
            del members["unit_type"]  # as documents were before codes had several benefits
        return {"action": f"discount.{members.pop('verb')}", **members}
    return {"action": operation.__struct_config__.tag, **members}


def _members(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield document
    given = document.get("operations") if document.get("action") == TOGETHER else None
    if isinstance(given, list):
        yield from (each for each in given if isinstance(each, dict))


def _operation(members: Any, message: Message) -> Operation:
    if not isinstance(members, dict):
        raise MappingError("an operation is not an object")
    action = members.get("action")
    if action == "event":
        members = _event_members(members, message)
    elif action in MOVES:
        members = {**members, "action": "discount", "verb": MOVES[action]}
    try:
        operation: Operation = msgspec.convert(members, Operation)
    except msgspec.ValidationError as error:
        raise MappingError(f"the operation is not as documented: {error}") from error
    _check(operation)
    return operation


def _event_members(members: dict[str, Any], message: Message) -> dict[str, Any]:
    """Return the members of an event, with what may be left out."""
    event = mapping(members.get("event"), "event")
    if event is None:
        raise MappingError("`event` is missing")
    when = event_time(event.get("occurred_at"), message.document, message.received_at)
    event = {
        "id": message.key,
        **event,
        "name": _event_name(event.get("name")),
        "occurred_at": when.at,
        "user": {"id": members.get("source_id"), **(mapping(event.get("user"), "event.user") or {})},
        "attributes": mapping(event.get("attributes"), "event.attributes") or {},
        "context": mapping(event.get("context"), "event.context") or {},
    }
    misfits = [*(members.get("misfits") or ()), *([when.misfit] if when.misfit else ())]
    return {**members, "event": event, "misfits": misfits, "undated": members.get("undated") or when.undated}


def _event_name(value: Any) -> str:
    sent = text(value, "event.name")
    if sent is None:
        raise MappingError("`event.name` is empty")
    if len(sent) > MAX_NAME or "\0" in sent:
        raise MappingError(f"`event.name` is longer than {MAX_NAME} characters, or holds a NUL character")
    return event_name(sent)


def _check(operation: Operation) -> None:
    """Raise MappingError for ids that a mapping could not give, either."""
    for name in ("source_id", "previous_id", "group_id", "order_id", "code"):
        value = getattr(operation, name, None)
        if (
            value is not None
            and (identifier if name in ("order_id", "code") else person)(value, name) is None
        ):
            raise MappingError(f"`{name}` is blank")
    identity_map(getattr(operation, "identities", None), "identities")
    if isinstance(operation, EventOccurred) and identifier(operation.event.id, "event.id") is None:
        raise MappingError("`event.id` is blank")
    for name, value in getattr(operation, "fields", {}).items():
        if name not in FIELDS:
            raise MappingError(f"`fields` holds a member that is none of {', '.join(FIELDS)}")
        if not isinstance(value, str if name in TEXT_FIELDS else dict):
            raise MappingError(f"`fields.{name}` is not {'text' if name in TEXT_FIELDS else 'an object'}")
    units = getattr(operation, "units", None)
    if units is not None and not 0 < units < 10**30:
        raise MappingError("`units` is not a number above 0")
