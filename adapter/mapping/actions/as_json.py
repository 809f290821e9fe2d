"""Operations as plain values, for people to read and to write down as what they expect."""

from __future__ import annotations

from typing import Any

import msgspec

from adapter.model.operations import DiscountMove, Operation


def plain(operation: Operation) -> dict[str, Any]:
    """Return an operation as JSON values under its action's name; what it leaves empty is left out.

    Traits, attributes and context are shown whole: there, null and empty are what was sent.
    """
    shown = msgspec.to_builtins(operation)
    if isinstance(operation, DiscountMove):
        shown["action"] = f"discount.{shown.pop('verb')}"
        if (units := operation.units) is not None:
            shown["units"] = int(units) if units == units.to_integral_value() else float(units)
    if shown.get("undated") is False:
        del shown["undated"]
    if "event" in shown:
        shown["event"]["user"] = _given(shown["event"]["user"])
        shown["event"] = _given(shown["event"])
    return {"action": shown.pop("action"), **_given(shown)}


def _given(members: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in members.items() if value not in (None, {}, [], ())}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
