"""Rules: a list with what each did, and one rule in full."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from adapter.console.context import ConsoleContext
from adapter.console.filters import url
from adapter.console.page import Action, Done, Page
from adapter.console.visitor import Visitor
from adapter.services.rule_pages.listing import RuleRows
from adapter.services.rule_pages.one import RulePage


class RulesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which rules: those that a text finds, behind a name."""

    search: str = ""
    after: str = ""


class Rules(Struct, frozen=True):
    """A page of rules."""

    search: str
    found: RuleRows


class RuleQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which rule."""

    name: str


class OneRule(Struct, frozen=True):
    """One rule in full, by the name that was asked for."""

    name: str
    shown: RulePage


class LiftForm(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose lift is measured."""

    name: str


async def _rules(context: ConsoleContext, query: RulesQuery, _visitor: Visitor) -> Rules:
    context.web.require_core()
    return Rules(query.search, await context.authoring.rules.page(query.search, query.after))


async def _rule(context: ConsoleContext, query: RuleQuery, _visitor: Visitor) -> OneRule:
    context.web.require_core()
    return OneRule(query.name, await context.authoring.rule_pages.page(query.name))


async def _measure(context: ConsoleContext, form: LiftForm, _visitor: Visitor) -> Done:
    context.authoring.rule_pages.measure_lift(form.name)
    return Done(
        message="The lift is being measured: it reads every customer, in a process of low priority",
        back=url("/console/rule", name=form.name),
        subject=form.name,
    )


PAGES: Final = (
    Page(
        path="/console/rules", template="rules.html", title="Rules", nav="Rules", view=_rules,
        query=RulesQuery, fragments=("found",),
    ),
    Page(
        path="/console/rule", template="rule.html", title="Rule", view=_rule, query=RuleQuery,
        fragments=("lift",), statuses=(404,),
    ),
)  # fmt: skip
ACTIONS: Final = (
    Action(path="/console/rule/lift", title="Measure the lift of a rule", form=LiftForm, run=_measure),
)
