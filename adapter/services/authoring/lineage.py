"""Data lineage: the declared data, the mappings that produce it, and the rules that read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from adapter.datamodel.declarations import DataModel, Declared
from adapter.files.problems import Problem
from adapter.mapping.files.mapping_file import Mapping
from adapter.mapping.lint import outputs
from adapter.mapping.mapping_set import MappingSet
from adapter.model.rules import Absence, Rule
from adapter.model.triggers import OnDate, TraitChange
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.expressions import Node, Path, reads
from adapter.rules.expressions.dependencies import attributes_read
from adapter.rules.guardrails.registry import named_segments

#: `("traits", name)`, `("context", name)`, or `(event, attribute)`, where an empty name is the event itself.
Place = tuple[str, str]


class Row(Struct, frozen=True):
    """One declaration: `of` is `traits`, `context` or an event's name; an event's own row has no name.

    `fed_by` names mappings, each with its source: those that name the value, and those that pass on all
    members. `read_by` names rules.
    """

    of: str
    name: str
    type: str
    required: bool
    description: str
    fed_by: list[str]
    read_by: list[str]


def rows(model: DataModel, mappings: MappingSet, rules: RuleSet) -> list[Row]:
    """Return all declarations, in the order of the file."""
    fed: dict[Place, dict[str, None]] = defaultdict(dict)
    for mapping in mappings.mappings:
        for place in _fed(mapping, model):
            fed[place][f"{mapping.name} ({mapping.source})"] = None
    read: dict[Place, dict[str, None]] = defaultdict(dict)
    for rule in rules.rules:
        for place in _read(rule, rules, model):
            read[place][rule.name] = None
    return [
        Row(of, name, str(one.type) if one else "event", one is not None and one.required,
            one.description if one else model.events[of].description, [*fed[of, name]], [*read[of, name]])
        for of, name, one in _declared(model)
    ]  # fmt: skip


def unfed(model: DataModel, mappings: MappingSet, rules: RuleSet) -> Iterator[Problem]:
    """Yield a warning for each rule with an event or a value that no mapping produces."""
    unmade = [row for row in rows(model, mappings, rules) if row.read_by and not row.fed_by]
    events = {row.of for row in unmade if not row.name}
    for row in unmade:
        if row.name and row.of in events:  # the event has a warning already
            continue
        message = f"no mapping produces {_called(row)}"
        for rule in row.read_by:
            yield Problem(rules.places[rule], f"{message}, which `{rule}` needs",
                          "map it, or remove it from the rule", "warning")  # fmt: skip


def _called(row: Row) -> str:
    if not row.name:
        return f"the event `{row.of}`"
    whose = {"traits": "customer", "context": "context"}.get(row.of, f"event `{row.of}`")
    return f"`{row.name}` of the {whose}"


def _declared(model: DataModel) -> Iterator[tuple[str, str, Declared | None]]:
    yield from (("traits", name, one) for name, one in model.traits.items())
    yield from (("context", name, one) for name, one in (model.context or {}).items())
    for event, declared in model.events.items():
        yield event, "", None
        yield from ((event, name, one) for name, one in declared.attributes.items())


def _fed(mapping: Mapping, model: DataModel) -> Iterator[Place]:
    yield from (("traits", trait.name) for trait in outputs.traits(mapping))
    if mapping.action == "customer.upsert" and outputs.passes_on(mapping, "traits"):
        yield from (("traits", trait) for trait in model.traits)
    if mapping.action != "event":
        return
    if outputs.passes_on(mapping, "context"):
        yield from (("context", name) for name in model.context or {})
    names = outputs.event_names(mapping)
    for event in names.names if names.all else model.events:
        yield event, ""
        yield from ((event, attribute.name) for attribute in outputs.attributes(mapping))
        if event in model.events and outputs.passes_on(mapping, "attributes"):
            yield from ((event, attribute) for attribute in model.events[event].attributes)


def _read(rule: Rule, rules: RuleSet, model: DataModel) -> Iterator[Place]:
    absence = rule.trigger if isinstance(rule.trigger, Absence) else None
    triggers = (absence.event,) if absence else rule.triggers
    yield from ((event, "") for event in triggers)
    if absence:
        yield absence.unless, ""
    if isinstance(rule.trigger, TraitChange | OnDate):
        yield "traits", rule.trigger.trait.partition(".")[0]
    for node in _nodes(rule, rules):
        found = reads(node)
        for path in found.paths:
            of_order = rule.code is not None and path.root == "" and path.fields[0] not in model.traits
            yield from () if of_order else _places(path, triggers, model)
        for metric in found.metrics:
            yield from ((event, "") for event in metric.events)
            yield from ((metric.event, attribute) for attribute in attributes_read(metric))


def _nodes(rule: Rule, rules: RuleSet) -> Iterator[Node]:
    """Yield the rule's conditions, the expressions of its value, and the conditions of its segments."""
    yield rules.nodes[rule.name]
    yield from rules.values[rule.name]
    for name in named_segments(rule):
        segment = rules.segments.declared.get(name)
        if segment is not None and segment.node is not None:
            yield segment.node


def _places(path: Path, triggers: tuple[str, ...], model: DataModel) -> Iterator[Place]:
    """Yield the declarations of a path: a bare name is the event's attribute, else a trait, else context."""
    if not path.fields:
        return
    name = path.fields[0]
    attributes = [(event, name) for event in triggers if name in model.attributes([event])]
    if path.root in ("", "attributes"):
        yield from attributes
    if path.root == "traits" or (path.root == "" and not attributes and name in model.traits):
        yield "traits", name
    if path.root == "context" or (path.root == "" and not attributes and name not in model.traits):
        yield "context", name
