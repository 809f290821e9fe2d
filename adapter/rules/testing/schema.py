"""The JSON Schema of the cases of rules."""

from __future__ import annotations

from typing import get_args

from adapter.files.schemas import TEXT, Schema, block, file, listed, one_of, said, table
from adapter.model.customers import TEXT_FIELDS
from adapter.model.discounts import Status as DiscountStatus
from adapter.rules.blocks.schema import LENGTH, MOMENT, WORDS
from adapter.rules.testing.case_discount import Status
from adapter.rules.testing.cases import EXPECTED, HAPPENINGS, OUTCOMES

_ANY_STATUS: Schema = one_of(get_args(DiscountStatus))
_CUSTOMER: Schema = block({
    **dict.fromkeys(("source_id", *TEXT_FIELDS), TEXT),
    "address": {"type": "object"}, "traits": {"type": "object"}, "segments": WORDS,
})  # fmt: skip


_HAPPENING: dict[str, Schema] = {
    "name": TEXT,
    "attributes": {"type": "object"},
    "context": {"type": "object"},
    "device_id": TEXT,
}
_CLAIM: dict[str, Schema] = {
    "code": TEXT,
    "order": {"type": "object"},
    "context": {"type": "object"},
    "device_id": TEXT,
}
_CHANGES: Schema = {
    "anyOf": [
        block({"trait": TEXT, "to": {}}, "trait", "to"),
        block({"segment": TEXT, "entered": {"const": True}, "left": {"const": True}}, "segment"),
    ]
}
_DISCOUNT: Schema = block(
    {"rule": TEXT, "status": one_of(get_args(Status)), "ago": LENGTH, "expires_in": LENGTH}, "rule", "ago"
)
_OUTCOME: Schema = one_of(OUTCOMES)
_EXPECTED: Schema = {"anyOf": [_OUTCOME, block({**dict.fromkeys(EXPECTED, TEXT), "outcome": _OUTCOME})]}


def cases_schema() -> Schema:
    """Return the schema of the cases of rules."""
    case = block(
        {
            "name": said(TEXT, "What should happen, in a sentence."),
            "now": MOMENT,
            "customer": _CUSTOMER,
            "others": said(listed(_CUSTOMER), "Other customers who are known."),
            "past": listed(block({**_HAPPENING, "ago": LENGTH}, "name", "ago")),
            "had": said(
                listed(block({"rule": TEXT, "status": _ANY_STATUS, "ago": LENGTH}, "rule")),
                "Discounts that the customer had, each with its status and since when.",
            ),
            "holds": said(WORDS, "Rules of which the customer holds a live discount."),
            "exhausted": said(WORDS, "Guardrails of which every counter is full, as limits.email."),
            "event": block(_HAPPENING, "name"),
            "due": said(TEXT, "A rule of absence whose time is up."),
            "claim": said(block(_CLAIM, "code"), "A shared code that a checkout claims for an order."),
            "discount": said(_DISCOUNT, "The discount whose life triggers the rule that is due."),
            "change": said(_CHANGES, "What changes of the customer, who is as before the change."),
            "expect": said(table(_EXPECTED), "By rule, its outcome."),
        },
        "name", "expect",
        oneOf=[{"required": [each]} for each in HAPPENINGS],
    )  # fmt: skip
    return file("Cases of rules", block({"cases": listed(case)}, "cases"))
