"""The `action` block of a rule: what to issue, and the code and life that it gets."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

from msgspec import Struct

from adapter.files.problems import did_you_mean, errors
from adapter.model.actions import Action, AmountOff
from adapter.model.triggers import Care, CareKind
from adapter.rules.action_types.action_block import ActionBlock
from adapter.rules.action_types.computed import ComputedValue
from adapter.rules.action_types.members import OTHER_NAMES
from adapter.rules.action_types.registry import ACTION_TYPES, BY_NAME, amounts
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.money import exact
from adapter.rules.files import code_keys
from adapter.rules.files.code_keys import CodeKeys

#: What people write for keys of `action`, where spelling alone leads elsewhere or nowhere.
_OTHER_NAMES = {
    "expires_after": "expires_in_hours",
    "valid_for": "expires_in_hours",
    "expiry": "expires_at",
    "valid_until": "expires_at",
    **OTHER_NAMES,
    **{other: name for each in ACTION_TYPES for other, name in each.other_names.items()},
}
_OWN_METADATA = ("rule", "issued_for_event_id", "user_id")


class Issuing(Struct, frozen=True, kw_only=True):
    """What the action block says: the action, and how its discount is named and when it ends."""

    action: Action
    codes: CodeKeys
    expires_in: timedelta | None
    expires_at: datetime | None
    metadata: dict[str, Any]
    computed: ComputedValue | None
    written: Any
    care: Care | None = None


def written_amounts(action: Action, computed: ComputedValue | None) -> dict[str, Decimal]:
    """Return the amounts that a rule file writes; one that is computed becomes payable when it is issued."""
    found = amounts(action)
    return found if computed is None else {key: found[key] for key in found if key != "value"}


def read(block: ActionBlock) -> Issuing | None:
    """Return the action, or None when it does not check."""
    found = len(block.problems)
    kind = block.text("type", required=True)
    if kind in get_args(CareKind):
        return _care(block, extend=kind == "extend")
    action_type = BY_NAME.get(kind or "")
    if kind is not None and action_type is None:
        block.refuse(
            ("type",),
            f"`{kind}` is not a kind of action",
            did_you_mean(kind, [*BY_NAME, *get_args(CareKind)]),
        )
    action: Action | None = action_type.parse(block) if action_type is not None else None
    if action is not None and action.currency is not None:
        exact(block, action.currency, written_amounts(action, block.computed))
    codes = code_keys.read(block)
    expires_in, expires_at = _life(block)
    metadata = _metadata(block)
    if action_type is not None:
        block.finish({**_OTHER_NAMES, **action_type.other_names})
    if action is None or errors(block.problems[found:]):
        return None
    return Issuing(
        action=action, codes=codes, expires_in=expires_in, expires_at=expires_at, metadata=metadata,
        computed=block.computed, written=block.values.get("currencies", block.values.get("value")),
    )  # fmt: skip


def _care(block: ActionBlock, *, extend: bool) -> Issuing | None:
    """Return what reminds of a discount, or moves its end: an action that is worth nothing."""
    found = len(block.problems)
    by = block.length("by") if extend else None
    if extend and "by" not in block.values:
        block.lacks("by", "add `by: 2d`")
    block.finish()
    if errors(block.problems[found:]):
        return None
    return Issuing(
        action=AmountOff(value=Decimal(0)), codes=code_keys.NO_CODES, expires_in=None, expires_at=None,
        metadata={}, computed=None, written=None, care=Care(extend_by=by),
    )  # fmt: skip


def _life(block: Block) -> tuple[timedelta | None, datetime | None]:
    hours = block.number("expires_in_hours", highest=24 * 3660)
    at = block.moment("expires_at")
    if hours is not None and at is not None:
        block.refuse(
            ("expires_at",),
            "`expires_at` and `expires_in_hours` both end the discount",
            "keep one of the two",
        )
    if hours is None:
        return None, at
    return timedelta(microseconds=int(hours * Decimal(3_600_000_000))), at


def _metadata(block: Block) -> dict[str, Any]:
    inner = block.block("metadata")
    if inner is None:
        return {}
    for key in _OWN_METADATA:
        if key in inner.values:
            inner.refuse(
                (key,), f"`{key}` is filled in when the discount is issued", "use another name", at_key=True
            )
    return dict(inner.values)
