"""The cases of `cases/adversarial.yaml`, in the form of the worked cases, and how answers are compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).parent / "cases" / "adversarial.yaml"
#: Members that stand beside an action.
_BESIDE = ("currency", "priority", "budget", "balance", "stackable", "stacking_group", "exclusive",
           "max_redemptions")  # fmt: skip
_OPERATIONS = ("validate", "redeem", "rollback")
#: What a step asks; all else is what it must answer.
_ASKED = ("op", "codes", "id", "order", "redemption", "lines", "amount", "all", "mode")
Case = dict[str, Any]


def cases() -> list[Case]:
    """Return every case with `steps` and `expect`."""
    return [_case(given) for given in yaml.safe_load(_FILE.read_text(encoding="utf-8"))]


def _case(given: Mapping[str, Any]) -> Case:
    steps = [_step(step) for step in given["steps"]]
    return {
        "id": given["id"],
        "idea": given["idea"],
        "order": _order(given),
        "budgets": given.get("budgets", {}),
        "discounts": [_discount(code, one) for code, one in given["discounts"].items()],
        "steps": [{name: value for name, value in step.items() if name in _ASKED} for step in steps],
        "expect": {
            "steps": [{name: value for name, value in step.items() if name not in _ASKED} for step in steps],
            "final": given.get("final", {}),
            "sums": given.get("sums", {}),
        },
    }


def _order(given: Mapping[str, Any]) -> Case:
    lines = [{"id": name, "sku": name, "quantity": row[0], "unit_price": row[1]} | (row[2:] or [{}])[0]
             for name, row in given["lines"].items()]  # fmt: skip
    shipping = [{"id": name, "price": row[0]} | (row[1:] or [{}])[0]
                for name, row in given.get("shipping", {}).items()]  # fmt: skip
    taxed = given.get("prices_include_tax", False)
    return {"currency": given["currency"], "lines": lines, "shipping": shipping, "prices_include_tax": taxed}


def _discount(code: str, given: Mapping[str, Any]) -> Case:
    action = {name: value for name, value in given.items() if name not in _BESIDE}
    return {"code": code, "action": action} | {name: given[name] for name in _BESIDE if name in given}


def _step(given: Mapping[str, Any]) -> Case:
    [operation] = [name for name in _OPERATIONS if name in given]
    step: Case = {name: value for name, value in given.items() if name != operation}
    step = {"ok": True, "op": operation, **step}
    step["redemption" if operation == "rollback" else "codes"] = given[operation]
    if "as" in step:
        step["id"] = step.pop("as")
    if "lines" in step:
        step["lines"] = [{"id": name, "quantity": count} for name, count in step["lines"].items()]
    return step


def differences(answer: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an answer says otherwise than expected; of totals only those that are named."""
    found = {}
    for name, value in expected.items():
        given = answer.get(name)
        if name == "totals":
            given = {total: (given or {}).get(total) for total in value}
        if name == "reason" and given is not None:
            given = given.replace(" ", "_")
        if name in ("rejected", "unapplied"):
            given = {code: reason.replace(" ", "_") for code, reason in (given or {}).items()}
        if given != value:
            found[name] = given
    return found
