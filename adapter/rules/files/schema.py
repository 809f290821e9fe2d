"""The JSON Schemas of rule files and of `definitions.yaml`."""

from __future__ import annotations

from typing import Any, get_args

from adapter.files.schemas import DISABLE, EXTENDS, TEXT, Schema, block, file, listed, one_of, said, table
from adapter.model.rules import Conflicts, OnRefund, RewardOnRefund, Status, WhenUsedUp
from adapter.rules.action_types.contract import ActionType
from adapter.rules.action_types.registry import ACTION_TYPES, BY_NAME
from adapter.rules.blocks.schema import (
    ABOVE_ZERO,
    FLAG,
    LENGTH,
    MOMENT,
    PERCENT,
    SOME_WORDS,
    WORDS,
)
from adapter.rules.files import campaigns, code_keys, given_block, trigger_schema
from adapter.rules.files.checkout_keys import GROUP, UNTIL_USED
from adapter.rules.files.conditions import GROUPS
from adapter.rules.files.plain_keys import NAME
from adapter.rules.guardrails.registry import GUARDRAILS

#: A rule with a shared code has no trigger, every other rule has one.
_TRIGGERS: list[Schema] = [
    {"required": ["trigger"], "properties": {"action": {"not": {"required": ["code"]}}}},
    {"not": {"required": ["trigger"]}, "properties": {"action": {"required": ["code"]}}},
]
_CONDITIONS = {"$ref": "#/definitions/conditions"}
_ACTION = {"$ref": "#/definitions/action"}
_GIVEN: list[Schema] = [{"required": [key]} for key in given_block.KEYS]


def rules_schema() -> Schema:
    """Return the schema of a rule file: one rule, or a list of them under `rules`."""
    several = block({
        "extends": EXTENDS,
        "disable": said(DISABLE, "The starter's rules that are not used, by name."),
        "rules": listed({"$ref": "#/definitions/rule"}, minItems=1),
        campaigns.KEY: _campaigns(),
    }, anyOf=[{"required": [key]} for key in ("rules", "extends", campaigns.KEY)])  # fmt: skip
    several_if = {"anyOf": [{"required": [key]} for key in ("rules", "extends", campaigns.KEY)]}
    either = {"if": several_if, "then": several, "else": {"$ref": "#/definitions/rule"}}
    named = {"rule": _rule(), "action": _action(), "conditions": _conditions()}
    return file("Rule file", {"type": "object", **either}, **named)


def definitions_schema() -> Schema:
    """Return the schema of `definitions.yaml`."""
    segment = {"anyOf": [_CONDITIONS, block({"source_ids": WORDS, "emails": WORDS}, minProperties=1)]}
    overall = _guardrails()
    overall["properties"] = {**overall["properties"], "paused": said(FLAG, "No rule issues anything.")}
    return file(
        "Shared definitions",
        block({
            "extends": EXTENDS,
            "time_zone": said(TEXT, "Whose days and hours count, such as Europe/Berlin."),
            "conflicts": one_of(get_args(Conflicts)),
            "definitions": said(table(_CONDITIONS), "Conditions by name, which rules use."),
            "segments": said(table(segment), "Groups of customers by name."),
            "guardrails": said(overall, "Limits over all rules together."),
            campaigns.KEY: _campaigns(),
        }),
        conditions=_conditions(),
    )  # fmt: skip


def _rule() -> Schema:
    rollout = block({"percent": PERCENT, "audience": SOME_WORDS, "control": PERCENT})
    return block({
        "name": {"type": "string", "pattern": f"^{NAME.pattern}$"},
        "description": said({**TEXT, "maxLength": 2000}, "What it does, for those who read decisions."),
        "trigger": said(
            trigger_schema.schema(), "The event, or events, on which it is looked at; or another trigger."
        ),
        "conditions": _CONDITIONS,
        "action": _ACTION,
        "actions": said(listed(_ACTION, minItems=1, maxItems=given_block.MOST), "Benefits under one code."),
        "variants": said(
            listed(_variant(), minItems=1, maxItems=given_block.MOST),
            "What shares of the customers get; a customer always gets the same variant.",
        ),
        "guardrails": _guardrails(),
        "rollout": said(rollout, "Per cent served, segments served, per cent held out as control."),
        "status": one_of(get_args(Status)),
        "conflicts": one_of(get_args(Conflicts)),
        "priority": said({"type": "integer"}, "Higher goes first."),
        "campaign": said({"type": "string"}, "The campaign whose limits and control group it shares."),
        "when_used_up": said(one_of(get_args(WhenUsedUp)), "Whether its campaign goes on to the next rule."),
        "push": said(WORDS, "The destinations that receive the events of its discounts; all by default."),
        "stacking_group": said(
            {"type": "string", "pattern": f"^{GROUP.pattern}$"}, "An order takes one of a group."
        ),
        "exclusive": said(
            {"enum": [True, False, UNTIL_USED]},
            "It is used alone on an order; with until_used its customer gets no other discount until then.",
        ),
        "on_refund": said(one_of(get_args(OnRefund)), "What a refund does with a code that was used."),
        "to": said(TEXT, "Where the event names the customer who gets it, such as attributes.referrer_id."),
        "replaces": said(SOME_WORDS, "Rules whose unused discounts it revokes when it issues; or campaign."),
        "reward_on_refund": said(
            one_of(get_args(RewardOnRefund)), "What a refund does with what the order earned."
        ),
    }, "name", anyOf=_TRIGGERS, oneOf=_GIVEN)  # fmt: skip


def _variant() -> Schema:
    several = listed(_ACTION, minItems=1, maxItems=given_block.MOST)
    keys = {"name": TEXT, "share": PERCENT, "action": _ACTION, "actions": several}
    return block(keys, "share", oneOf=_GIVEN[:2])


def _campaigns() -> Schema:
    return said(table(campaigns.schema(_guardrails())), "What rules share, by the name of their campaign.")


def _conditions() -> Schema:
    group = listed(_CONDITIONS, minItems=1)
    groups = block(dict.fromkeys(GROUPS, group), minProperties=1)
    return {"anyOf": [TEXT, group, groups, {"type": "null"}]}


_CARES: dict[str, Schema] = {"remind": block({"type": {}}), "extend": block({"type": {}, "by": LENGTH}, "by")}


def _action() -> Schema:
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": one_of([*BY_NAME, *_CARES])},
        "allOf": [
            {"if": {"properties": {"type": {"const": each.name}}, "required": ["type"]}, "then": _kind(each)}
            for each in ACTION_TYPES
        ]
        + [
            {"if": {"properties": {"type": {"const": kind}}, "required": ["type"]}, "then": then}
            for kind, then in _CARES.items()
        ],
    }


def _kind(action_type: ActionType[Any]) -> Schema:
    shared = {
        "type": {},
        **code_keys.KEYS,
        "expires_in_hours": ABOVE_ZERO,
        "expires_at": MOMENT,
        "metadata": {"type": "object"},
    }
    either = {"anyOf": [{"required": [key]} for key in action_type.either]} if action_type.either else {}
    return block({**shared, **action_type.keys}, *action_type.required, **either)


def _guardrails() -> Schema:
    keys = {key: schema for each in GUARDRAILS for key, schema in each.keys.items()}
    return block({**keys, "time_zone": TEXT})
