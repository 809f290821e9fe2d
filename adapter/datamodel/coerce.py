"""Coerce the values of operations to the data model, when the operations are created.

A value that can safely be read as the declared type is coerced. Any other violation is kept and flagged in
the operation's `misfits`, or the message is quarantined, as the model declares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import NoneType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapter.datamodel.constraints import NONE, constrained
from adapter.datamodel.declarations import DataModel, Declared, Policy
from adapter.datamodel.types import ABSENT, MISFIT, Reader, described
from adapter.errors import MappingError
from adapter.model.amounts import is_rounded
from adapter.model.operations import CustomerUpsert, EventOccurred, Operation
from adapter.model.spelling import spelling

Coercer = Callable[[Operation], Operation]
#: Flags of one operation; a message that violates the model everywhere needs no more to show it.
_MOST = 20
#: Characters of a name in a flag: names come from payloads, and their length has no bound.
_LONGEST_NAME = 80


class _Check(Struct, frozen=True):
    """One trait or attribute: values of `classes` are valid without a check; they include null where allowed.

    `members` are the checks of the declared members of an object, or of each object of a list. An `amount`
    may be a float of hundredths.
    """

    classes: frozenset[type]
    read: Reader
    wanted: str
    policy: Policy
    members: _Checks | None = None
    amount: bool = False


class _Checks(Struct, frozen=True):
    """All of one event's attributes, or all traits; `word` is the noun for one of them in error messages.

    `usual` has by name one class that is valid without a check: most values cost this one look-up.
    """

    by_name: dict[str, _Check]
    usual: dict[str, type]
    required: frozenset[str]
    unknown: Policy | None
    word: str
    of: str = ""


def coercer(model: DataModel) -> Coercer:
    """Return a function that coerces an operation to the model.

    It raises MappingError where the message must be quarantined.
    """
    unknown: Policy | None = None if model.unknown == "allow" else model.unknown
    traits = _checks(model.traits, unknown, "trait")
    events = {
        name: _checks(event.attributes, unknown, "attribute", f" of `{name}`")
        for name, event in model.events.items()
    }
    context = _checks(model.context or {}, None, "context", "")
    spelled = declared_spellings(model.events)

    def fit(operation: Operation) -> Operation:
        if operation.__class__ is EventOccurred:
            if operation.event.name not in events:
                operation = _respelled(operation, spelled)
            return _event(operation, events, context, unknown)
        if operation.__class__ is CustomerUpsert and operation.traits:
            return _upsert(operation, traits)
        return operation

    return fit


def declared_spellings(events: Iterable[str]) -> dict[str, str]:
    """Return the names of events by their spelling, without names that differ only in spelling."""
    spelled: dict[str, str] = {}
    for name in events:
        spelled[spelling(name)] = "" if spelling(name) in spelled else name
    return {key: name for key, name in spelled.items() if name}


def _respelled(operation: EventOccurred, spelled: dict[str, str]) -> EventOccurred:
    """Return an event under the declared name of which its own name is another spelling."""
    event = operation.event
    name = spelled.get(spelling(event.name))
    return operation if name is None else replace(operation, event=replace(event, name=name))


def _checks(declared: dict[str, Declared], unknown: Policy | None, word: str, of: str = "") -> _Checks:
    by_name = {name: _check(name, one, of) for name, one in declared.items()}
    required = frozenset(name for name, one in declared.items() if one.required and word == "attribute")
    usual = {name: _usual(check.classes) for name, check in by_name.items()}
    return _Checks(by_name, usual, required, unknown, word, of)


def _usual(classes: frozenset[type]) -> type:
    """Return the usual class of a value; `type`, which no value has, where each value needs a check."""
    return next((kind for kind in (str, dict, bool, int) if kind in classes), type)


def _check(name: str, declared: Declared, of: str) -> _Check:
    null = frozenset[type]() if declared.required else frozenset({NoneType})
    kind = declared.type
    if declared.constraints != NONE:
        read = constrained(kind.reader, declared.constraints, many=kind.many)
        return _Check(null, read, _wanted(declared), declared.misfit)
    if not declared.of:
        amount = kind.name in ("money", "number") and not kind.many
        return _Check(kind.classes | null, kind.reader, kind.described, declared.misfit, amount=amount)
    members = _checks(declared.of, None, "attribute", f" of `{name}`{of}")
    return _Check(null, kind.reader, kind.described, declared.misfit, members)


def _wanted(declared: Declared) -> str:
    each = ", each " if declared.type.many else ", "
    return declared.type.described + each + declared.constraints.described


def _event(
    operation: EventOccurred, events: dict[str, _Checks], context: _Checks, unknown: Policy | None
) -> EventOccurred:
    event = operation.event
    checks = events.get(event.name)
    misfits = list(operation.misfits)
    attributes = event.attributes
    if checks is not None:
        attributes = _fitted(attributes, checks, misfits)
    elif unknown is not None:
        _refuse(unknown, f"the event `{event.name}` is not in the data model", misfits)
    around = event.context
    if context.by_name and (around or context.required):
        around = _fitted(around, context, misfits)
    if attributes is not event.attributes or around is not event.context:
        event = replace(event, attributes=attributes, context=around)
        return replace(operation, event=event, misfits=tuple(misfits))
    return replace(operation, misfits=tuple(misfits)) if len(misfits) > len(operation.misfits) else operation


def _upsert(operation: CustomerUpsert, checks: _Checks) -> CustomerUpsert:
    misfits = list(operation.misfits)
    traits = _fitted(operation.traits, checks, misfits)
    if traits is operation.traits and len(misfits) == len(operation.misfits):
        return operation
    return replace(operation, traits=traits, misfits=tuple(misfits))


def _fitted(values: dict[str, Any], checks: _Checks, misfits: list[str]) -> dict[str, Any]:
    """Return the values, or a copy with the coerced ones; `values` may be part of a shared document."""
    usual, check_of = checks.usual.get, checks.by_name.get
    changed: dict[str, Any] | None = None
    for name, value in values.items():
        kind = value.__class__
        if kind is usual(name):
            continue
        check = check_of(name)
        if check is None:
            if checks.unknown is not None:
                what = f"the {checks.word} `{name[:_LONGEST_NAME]}`{checks.of}"
                _refuse(checks.unknown, f"{what} is not in the data model", misfits)
        elif kind not in check.classes and not (kind is float and check.amount and is_rounded(value)):
            found = _read(value, check, misfits)
            if found is MISFIT:
                _misfit(name, value, check, checks, misfits)
            elif found is not value:
                changed = {**values} if changed is None else changed
                _put(changed, name, found)
    fitted = values if changed is None else changed
    if checks.required and not checks.required <= fitted.keys():
        _missing(checks, fitted, misfits)
    return fitted


def _put(values: dict[str, Any], name: str, found: Any) -> None:
    if found is ABSENT:
        del values[name]
    else:
        values[name] = found


def _inside(value: Any, checks: _Checks, misfits: list[str]) -> Any:
    """Return an object or a list of objects with coerced members; the same object where none was coerced."""
    inner: list[str] = []
    if value.__class__ is dict:
        fitted: Any = _declared_fitted(value, checks, inner)
    else:
        fitted = value
        for place, item in enumerate(value):
            one = _declared_fitted(item, checks, inner) if item.__class__ is dict else item
            if one is not item:
                fitted = [*value] if fitted is value else fitted
                fitted[place] = one
    if inner:
        misfits += list(dict.fromkeys(inner))[: _MOST - len(misfits)]
    return fitted


def _declared_fitted(values: dict[str, Any], checks: _Checks, misfits: list[str]) -> dict[str, Any]:
    """Return the values as `_fitted` does, for objects whose members need not be declared."""
    changed: dict[str, Any] | None = None
    for name, check in checks.by_name.items():
        value: Any = values.get(name)
        kind = value.__class__
        if kind in check.classes or (value is None and name not in values):
            continue
        if kind is float and check.amount and is_rounded(value):
            continue
        found = _read(value, check, misfits)
        if found is MISFIT:
            _misfit(name, value, check, checks, misfits)
        elif found is not value:
            changed = {**values} if changed is None else changed
            _put(changed, name, found)
    fitted = values if changed is None else changed
    if checks.required and not checks.required <= fitted.keys():
        _missing(checks, fitted, misfits)
    return fitted


def _read(value: Any, check: _Check, misfits: list[str]) -> Any:
    """Return the coerced value, the same object where it is valid unchanged; MISFIT where it is invalid."""
    found = check.read(value) if value is not None else MISFIT
    return found if check.members is None or found is MISFIT else _inside(found, check.members, misfits)


def _misfit(name: str, value: Any, check: _Check, checks: _Checks, misfits: list[str]) -> None:
    what = f"the {checks.word} `{name}`{checks.of} is {described(value)}"
    _refuse(check.policy, f"{what}, but must be {check.wanted}", misfits)


def _missing(checks: _Checks, values: dict[str, Any], misfits: list[str]) -> None:
    for name in sorted(checks.required - values.keys()):
        message = f"the {checks.word} `{name}`{checks.of} is missing"
        _refuse(checks.by_name[name].policy, message, misfits)


def _refuse(policy: Policy, message: str, misfits: list[str]) -> None:
    if policy == "quarantine":
        raise MappingError(message)
    if len(misfits) < _MOST:
        misfits.append(message)
