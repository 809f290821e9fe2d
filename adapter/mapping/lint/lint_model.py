"""Mappings against the data model: what they write that it does not declare, or declares as another type."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal

from adapter.datamodel.declarations import DataModel, Declared, UnknownPolicy
from adapter.datamodel.types import Type
from adapter.files.problems import Mark, Problem, did_you_mean
from adapter.mapping.files.mapping_file import Mapping, MappingFile
from adapter.mapping.lint import outputs
from adapter.mapping.lint.lint_conflicts import type_of

Severity = Literal["error", "warning"]
#: By the type that a mapping always gives: the types of the model that such a value can have.
_FITTING: dict[str, tuple[str, ...]] = {
    "text": ("string", "date", "datetime"),
    "number": ("number", "money"),
    "boolean": ("boolean",),
    "datetime": ("datetime", "string"),
    "money": ("money", "number"),
    "object": ("object",),
}
_AS = {
    "string": "string",
    "number": "number",
    "boolean": "boolean",
    "datetime": "datetime",
    "money": "number",
}


def findings(files: Sequence[MappingFile], model: DataModel) -> list[Problem]:
    """Return what does not agree: errors where the model quarantines such values, else warnings.

    What a mapping passes on as it came, as with `traits: {"@path": $.traits}`, is only seen at run time.
    """
    mappings = [mapping for file in files for mapping in file.mappings]
    # A YAML anchor puts one line of a file into several mappings.
    return list(dict.fromkeys(found for mapping in mappings for found in _findings(mapping, model)))


def _findings(mapping: Mapping, model: DataModel) -> Iterator[Problem]:
    for written in outputs.traits(mapping):
        declared = model.traits.get(written.name)
        if declared is None:
            yield _undeclared(f"trait `{written.name}`", written.at, written.name, model.traits, model)
        else:
            yield from _other_type("trait", written, (declared,))
    if mapping.action == "event":
        yield from _event_findings(mapping, model)


def _event_findings(mapping: Mapping, model: DataModel) -> Iterator[Problem]:
    names = outputs.event_names(mapping)
    for name, at in names.names.items():
        if name not in model.events:
            yield _undeclared(f"event `{name}`", at, name, model.events, model)
    known = [name for name in names.names if name in model.events]
    if names.all and not known:
        return
    attributes = model.attributes(known if names.all else None)
    for written in outputs.attributes(mapping):
        declared = attributes.get(written.name)
        if declared is None:
            of = f" of `{known[0]}`" if names.all and len(known) == 1 else ""
            yield _undeclared(f"attribute `{written.name}`{of}", written.at, written.name, attributes, model)
        else:
            yield from _other_type("attribute", written, declared)


def _undeclared(what: str, at: Mark, name: str, known: Collection[str], model: DataModel) -> Problem:
    near = did_you_mean(name, known)
    suggestion = near.replace("?", ",") + " or" if near.startswith("did you mean") else ""
    remedy = f"{suggestion} declare it in {model.file}".strip()
    return Problem(at, f"the {what} is not in the data model", remedy, _severity(model.unknown))


def _other_type(word: str, written: outputs.Written, declared: Sequence[Declared]) -> Iterator[Problem]:
    given = type_of(written.value)
    if given is None or any(_fits(given, one.type) for one in declared):
        return
    wanted = declared[0].type
    message = f"the {word} `{written.name}` is {given} here, and {wanted} in the data model"
    convert = _AS.get(wanted.name)
    remedy = f"wrap it in `@{convert}`" if convert and not wanted.many else "change one of the two"
    yield Problem(written.at, message, remedy, _severity(declared[0].misfit))


def _fits(given: str, wanted: Type) -> bool:
    if given == "list" or wanted.many:
        return given == "list" and wanted.many
    return wanted.name == "any" or wanted.name in _FITTING[given]


def _severity(policy: UnknownPolicy) -> Severity:
    return "error" if policy == "quarantine" else "warning"
