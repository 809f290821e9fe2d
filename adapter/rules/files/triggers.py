"""The trigger of a rule: an event, several, an absence, or a change of a customer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from adapter.files.yaml import Keys
from adapter.model.rules import CLAIMED, OF_KEYS, Absence, Trigger
from adapter.model.triggers import DiscountLife, Every, HeldAs, OnDate, Scalar, SegmentChange, TraitChange
from adapter.rules.blocks.block import Block, shown
from adapter.rules.expressions import ExpressionError, Names
from adapter.rules.expressions.typed_tree import Kind
from adapter.rules.files import scheduled, slips

#: The attributes of the events that are no event of a source, with their kinds.
_ATTRIBUTES: Final[Mapping[type, Mapping[str, Kind]]] = {
    TraitChange: {"trait": "text", "from": "any", "to": "any"},
    SegmentChange: {"segment": "text"},
    DiscountLife: {
        "code": "text",
        "rule": "text",
        "status": "text",
        "issued_at": "any",
        "expires_at": "any",
    },
    Every: {"due_at": "any"},
    OnDate: {"due_at": "any", "date": "any", "years": "number"},
}


def read(block: Block, names: Names, time_zone: str) -> Trigger | None:
    """Return the trigger of a rule by the names under which its events arrive; `()` for a shared code.

    `time_zone` is that of schedules that name none.
    """
    written = _written(block, time_zone)
    if isinstance(written, tuple | Absence):
        _check_events(block, written, names)
        meant = _meant(written, names)
        if isinstance(meant, Absence) and meant.per is not None:
            _check_key(block, meant, meant.per, names)
        return meant
    if isinstance(written, TraitChange):
        _check_trait(block, "trait", written.trait, names)
    if isinstance(written, OnDate):
        _check_trait(block, "on", written.trait, names)
    return written


def seen(trigger: Trigger | None, names: Names) -> Names:
    """Return what the conditions of a rule may name."""
    if isinstance(trigger, Absence) and trigger.per is not None:
        found = names.of((trigger.event,))
        declared = found.attributes
        return found if declared is None else replace(found, attributes=declared.union(OF_KEYS))
    own = _ATTRIBUTES.get(type(trigger))
    if own is None:
        return names.of(_happening(trigger))
    if names.events is None:
        return names
    others = {path: kind for path, kind in names.types.items() if not path.startswith("attributes.")}
    kinds = {f"attributes.{name}": kind for name, kind in own.items()}
    return replace(names, attributes=frozenset(own), types={**others, **kinds})


def _written(block: Block, time_zone: str) -> Trigger | None:
    value: Any = block.get("trigger")
    shared = _has_shared_code(block)
    if shared and "trigger" in block.values:
        block.refuse(("trigger",), "a shared `code` is claimed at the checkout, and no event triggers it",
                     "take `trigger` out, or use `code_prefix`")  # fmt: skip
    if isinstance(value, dict):
        inner = block.block("trigger")
        return _block(inner, time_zone) if inner is not None else None
    names = block.words("trigger")
    if not names and not shared:
        block.lacks("trigger", "add `trigger: checkout_started`")
        return None
    return names


def _block(block: Block, time_zone: str) -> Trigger | None:
    """Return a trigger that is a block, which its first key tells apart."""
    for key, read_it in _BLOCKS.items():
        if key in block.values:
            return read_it(block)
    if "every" in block.values:
        return scheduled.every(block, time_zone)
    if "on" in block.values:
        return scheduled.on_date(block, time_zone)
    return _absence(block)


def _trait(block: Block) -> TraitChange | None:
    trait = block.text("trait", required=True)
    to, before = _scalar(block, "to"), _scalar(block, "from")
    block.finish({"from": "from", "before": "from", "into": "to", "value": "to"})
    if trait is None or to is None or before is None:
        return None
    if to is not UNSET and before is not UNSET and _same(to, before):
        block.refuse(("from",), "`from` is the same as `to`, and that is no change", "write another value")
        return None
    return TraitChange(trait=trait.removeprefix("user.").removeprefix("traits."), to=to, before=before)


def _same(one: Scalar | UnsetType, other: Scalar | UnsetType) -> bool:
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def _scalar(block: Block, key: str) -> Scalar | UnsetType | None:
    """Return a text, a number or a flag; UNSET where there is none, None where it is something else."""
    value = block.get(key)
    if key not in block.values:
        return UNSET
    if isinstance(value, str | int | float):
        return value
    what = "empty" if value is None else shown(value)
    block.refuse((key,), f"`{key}` is {what}", "write a text, a number, true or false, or leave the line out")
    return None


def _segment(block: Block) -> SegmentChange | None:
    segment = block.text("segment", required=True)
    entered, left = block.flag("entered"), block.flag("left")
    block.finish()
    said = [way for way, flag in (("entered", entered), ("left", left)) if flag]
    if len(said) != 1 or False in (entered, left):
        if segment is not None:
            block.refuse((), "the trigger does not say whether the segment is entered or left",
                         "write `entered: true`, or `left: true`, beside `segment`")  # fmt: skip
        return None
    return None if segment is None else SegmentChange(segment=segment, entered=said == ["entered"])


def _life(block: Block) -> DiscountLife | None:
    before = len(block.problems)
    status: HeldAs | None = block.one_of("discount", HeldAs)
    of = block.words("of")
    unused_for, expires_in = block.length("unused_for"), block.length("expires_in")
    if ("unused_for" in block.values) is ("expires_in" in block.values):
        block.refuse((), "the trigger does not say when in the life of a discount it fires",
                     "write `unused_for: 5d` or `expires_in: 2d`")  # fmt: skip
    block.finish({"rule": "of", "rules": "of"})
    if status is None or len(block.problems) > before:
        return None
    return DiscountLife(status=status, unused_for=unused_for, expires_in=expires_in, of=of)


_BLOCKS: Final[Mapping[str, Callable[[Block], Trigger | None]]] = {
    "trait": _trait,
    "segment": _segment,
    "discount": _life,
}


def _check_key(block: Block, trigger: Absence, per: str, names: Names) -> None:
    """Report a key that one of the two events is declared not to have."""
    attribute, _, member = per.partition(".")
    doubts: list[ExpressionError] | None = None if names.doubts is None else []
    looking = replace(names, doubts=doubts)
    try:
        for event in dict.fromkeys((trigger.event, trigger.unless)):
            looking.check_attribute(event, attribute, 0)
            if member:
                looking.member(event, attribute, member, len(attribute) + 1)
    except ExpressionError as error:
        block.refuse_inside(("trigger", "per"), per, error.offset, error.message, error.remedy)
    for doubt in doubts or ():
        block.warn_inside(("trigger", "per"), per, doubt.offset, doubt.message, doubt.remedy)


def _check_trait(block: Block, key: str, path: str, names: Names) -> None:
    doubts: list[ExpressionError] | None = None if names.doubts is None else []
    name = path.partition(".")[0]
    try:
        replace(names, doubts=doubts).check("traits", name, 0)
    except ExpressionError as error:
        block.refuse(("trigger", key), error.message, error.remedy)
    for doubt in doubts or ():
        block.warn_inside(("trigger", key), name, 0, doubt.message, doubt.remedy)


def _has_shared_code(block: Block) -> bool:
    action = block.values.get("action")
    return isinstance(action, dict) and "code" in action


def _happening(trigger: Trigger | None) -> tuple[str, ...]:
    """Return the events whose attributes conditions see; a claim is none that is declared."""
    if isinstance(trigger, Absence):
        return (trigger.event,)
    return (CLAIMED,) if trigger == () else trigger if isinstance(trigger, tuple) else ()


def _meant(written: tuple[str, ...] | Absence, names: Names) -> Trigger:
    """Return a trigger by the names under which its events arrive."""
    meant = names.spelled.meant
    if isinstance(written, Absence):
        return replace(written, event=meant(written.event), unless=meant(written.unless))
    return tuple(dict.fromkeys(map(meant, written)))


def _check_events(block: Block, trigger: tuple[str, ...] | Absence, names: Names) -> None:
    """Report the events of a trigger that are not declared: mistaken ones as errors, others as doubts."""
    if isinstance(trigger, Absence):
        places: list[tuple[Keys, str]] = [
            (("trigger", "event"), trigger.event), (("trigger", "unless"), trigger.unless),
        ]  # fmt: skip
    else:
        listed = isinstance(block.values.get("trigger"), list)
        places = [(("trigger", at) if listed else ("trigger",), name) for at, name in enumerate(trigger)]
    for at, name in places:
        if slips.is_calendar(name) and (
            names.events is None or names.spelled.meant(name) not in names.events
        ):
            block.refuse(at, f"`{name}` is a time, and a rule is triggered by an event",
                         'write an event, or `{every: "day 09:00"}` for all customers')  # fmt: skip
            continue
        doubts: list[ExpressionError] | None = None if names.doubts is None else []
        try:
            replace(names, doubts=doubts).check_event(names.spelled.meant(name), 0)
        except ExpressionError as error:
            block.refuse(at, error.message, error.remedy)
        for doubt in doubts or ():
            block.warn_inside(at, name, 0, doubt.message, doubt.remedy)


def _absence(block: Block) -> Absence | None:
    event = block.text("event", required=True)
    unless = block.text("unless", required=True)
    within = block.length("within")
    if "within" not in block.values:
        block.lacks("within", "add `within: 30m`")
    before = len(block.problems)
    per = block.text("per")
    block.finish()
    if len(block.problems) > before:
        return None
    return Absence(event, unless, within, per) if event and unless and within else None
