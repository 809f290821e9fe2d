"""From the fields that a mapping gave to the operations they mean.

Each builder takes the mapped fields and their message, and appends what they yield to a list; fields
that do not fit raise `MappingError` with one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Literal

from msgspec.structs import replace

from adapter.errors import MappingError
from adapter.mapping.actions.field_types import (
    identifier,
    identifiers,
    identity_map,
    mapping,
    memberships,
    names,
    person,
    text,
    units,
)
from adapter.mapping.engine.errors import FieldMissing
from adapter.model.codes import folded
from adapter.model.customers import TEXT_FIELDS
from adapter.model.event_names import event_name
from adapter.model.events import Event, User
from adapter.model.ids import MAX_ID
from adapter.model.messages import Message
from adapter.model.operations import (
    CustomerErase,
    CustomerGroup,
    CustomerMerge,
    CustomerUpsert,
    DiscountMove,
    EventOccurred,
    Operation,
    OrderRedemption,
    OrderRollback,
)
from adapter.model.sources import SOURCES
from adapter.model.times import event_time, message_time

#: Event names are trigger and history keys; both CDPs cut theirs at 256 characters.
MAX_NAME = 256

Fields = dict[str, Any]
Builder = Callable[[Fields, Message, list[Operation]], None]


def _customer_upsert(fields: Fields, message: Message, out: list[Operation]) -> None:
    joined, left = memberships(fields.get("segments"), "segments")
    out.append(
        CustomerUpsert(
            source_id=_source_id(fields, message),
            identities={**identity_map(fields.get("identities"), "identities"), **_links(fields)},
            fields=_standard(fields),
            traits=mapping(fields.get("traits"), "traits") or {},
            removed_traits=names(fields.get("removed_traits"), "removed_traits"),
            removed_fields=names(fields.get("removed_fields"), "removed_fields"),
            joined_segments=(*joined, *names(fields.get("joined_segments"), "joined_segments")),
            left_segments=(*left, *names(fields.get("left_segments"), "left_segments")),
            misfits=_misfits(message_time(message.document, message.received_at).misfit),
        )
    )


def _standard(fields: Fields) -> dict[str, Any]:
    standard: dict[str, Any] = {}
    for field in TEXT_FIELDS:
        value = fields.get(field)
        if value is not None and (said := text(value, field)) is not None:
            standard[field] = said
    if address := mapping(fields.get("address"), "address"):
        standard["address"] = address
    return standard


def _customer_merge(fields: Fields, message: Message, out: list[Operation]) -> None:
    source_id = _source_id(fields, message)
    previous_id = _needed(fields, "previous_id", person)
    if previous_id != source_id:
        out.append(CustomerMerge(source_id, previous_id, _links(fields)))


def _customer_group(fields: Fields, message: Message, out: list[Operation]) -> None:
    traits = mapping(fields.get("traits"), "traits") or {}
    source_id, group_id = _source_id(fields, message), _needed(fields, "group_id")
    out.append(CustomerGroup(source_id, group_id, traits, _links(fields)))


def _customer_erase(fields: Fields, message: Message, out: list[Operation]) -> None:
    out.append(CustomerErase(_source_id(fields, message)))


def _event(fields: Fields, message: Message, out: list[Operation]) -> None:
    source_id = _source_id(fields, message)
    get = fields.get
    links = _links(fields)
    # Arguments by position: naming them would take twice as long, for every event.
    user = User(
        source_id,
        text(get("email"), "email"),
        identifier(get("device_id"), "device_id"),
        identifier(get("session_id"), "session_id"),
        links.get("anonymous_id") or links.get("mpid"),
    )
    when = event_time(get("occurred_at"), message.document, message.received_at)
    event = Event(
        identifier(get("id"), "id") or _message_id(message),
        _event_name(get("name")),
        when.at,
        user,
        mapping(get("attributes"), "attributes") or {},
        mapping(get("context"), "context") or {},
    )
    out.append(EventOccurred(source_id, event, links, _misfits(when.misfit), when.undated))


def _event_name(value: Any) -> str:
    sent = text(value, "name")
    if sent is None:
        raise MappingError("`name` is empty: the message has no event name")
    if len(sent) > MAX_NAME:
        raise MappingError(f"`name` is longer than {MAX_NAME} characters")
    if "\0" in sent:
        raise MappingError("`name` holds a NUL character")
    return event_name(sent)


def _message_id(message: Message) -> str:
    sent = message.document.get("messageId")
    return sent if isinstance(sent, str) and sent.isprintable() and 0 < len(sent) <= MAX_ID else message.key


def _misfits(misfit: str) -> tuple[str, ...]:
    return (misfit,) if misfit else ()


def _discount(
    verb: Literal["apply", "release", "redeem"], fields: Fields, message: Message, out: list[Operation]
) -> None:
    del message
    codes = _codes(fields.get("code"))
    if not codes:
        return
    source_id = person(fields.get("source_id"), "source_id")
    order_id = identifier(fields.get("order_id"), "order_id")
    out.extend(DiscountMove(verb, code, source_id, order_id) for code in codes)


def _codes(value: Any) -> tuple[str, ...]:
    """Return one code or a list of them, each once; true and false say whether there is one, and are none.

    An object may hold a code of ours where no mapping looks, so its message waits in quarantine.
    """
    items = value if isinstance(value, list) else (value,)
    return identifiers([item for item in items if item.__class__ is not bool], "code")


def _redeem_units(fields: Fields, message: Message, out: list[Operation]) -> None:
    """Redeem so many units of one discount; without their number nothing tells what was used."""
    found, unit_type = len(out), text(fields.get("unit_type"), "unit_type")
    _discount("redeem", fields, message, out)
    moves = [move for move in out[found:] if isinstance(move, DiscountMove)]
    if not moves:
        return
    taken = units(fields.get("units"), "units")
    if taken is None:
        raise FieldMissing("units")
    named = len({folded(move.code) for move in moves})
    if named > 1:
        raise MappingError(f"`units` belong to one discount, and `code` names {named}")
    out[found:] = [replace(move, units=taken, unit_type=unit_type) for move in moves[:1] if taken]


def _redeem(fields: Fields, message: Message, out: list[Operation]) -> None:
    """Redeem the codes of an order; with its lines, for the amounts that they take off."""
    found = len(out)
    _discount("redeem", fields, message, out)
    codes = tuple(move.code for move in out[found:] if isinstance(move, DiscountMove))
    order = mapping(fields.get("order"), "order")
    order_id = identifier(fields.get("order_id"), "order_id")
    if codes and order and order.get("lines") and order_id is not None:
        source_id = person(fields.get("source_id"), "source_id")
        out.append(OrderRedemption(order_id, codes, order, source_id))


def _revoke(fields: Fields, message: Message, out: list[Operation]) -> None:
    del message
    out.extend(DiscountMove("revoke", code) for code in _codes(fields.get("code")))


def _roll_back(fields: Fields, message: Message, out: list[Operation]) -> None:
    del message
    order = mapping(fields.get("order"), "order") or {}
    lines = order.get("lines")
    returned = tuple(line for line in lines if isinstance(line, dict)) if isinstance(lines, list) else ()
    source_id = person(fields.get("source_id"), "source_id")
    order_id = identifier(fields.get("order_id"), "order_id")
    if order_id is not None:
        out.append(OrderRollback(order_id, source_id, returned))


def builder(action: str, given: Collection[str]) -> Builder:
    """Return what builds an action for a mapping that gives these fields."""
    if action == "discount.redeem" and "units" in given:
        return _redeem_units
    return BUILDERS[action]


def _source_id(fields: Fields, message: Message) -> str:
    source_id = person(fields.get("source_id"), "source_id")
    if source_id is not None:
        return source_id
    document = message.document
    if document.get("userId") or document.get("anonymousId"):
        raise FieldMissing("source_id")
    raise MappingError(f"no source_id: the message has {SOURCES[message.source].ids}")


def _needed(fields: Fields, field: str, read: Callable[[Any, str], str | None] = identifier) -> str:
    value = read(fields.get(field), field)
    if value is None:
        raise FieldMissing(field)
    return value


def _links(fields: Fields) -> dict[str, str]:
    links: dict[str, str] = {}
    for kind in ("anonymous_id", "mpid"):
        value = fields.get(kind)
        if value is not None and (link := person(value, kind)) is not None:
            links[kind] = link
    return links


#: What builds each action of `actions.ACTIONS`.
BUILDERS: dict[str, Builder] = {
    "customer.upsert": _customer_upsert,
    "customer.merge": _customer_merge,
    "customer.group": _customer_group,
    "customer.erase": _customer_erase,
    "event": _event,
    "discount.apply": partial(_discount, "apply"),
    "discount.release": partial(_discount, "release"),
    "discount.redeem": _redeem,
    "discount.revoke": _revoke,
    "discount.rollback": _roll_back,
}
