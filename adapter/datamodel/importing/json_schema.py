"""A JSON Schema (draft-04 to 2020-12) of an object as declarations of its members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from adapter.datamodel.constraints import FORMATS
from adapter.datamodel.constraints_block import CONSTRAINTS, read_constraints
from adapter.datamodel.declarations import Declared
from adapter.datamodel.importing.imported import members
from adapter.datamodel.types import Type

#: Reports what a declaration cannot express: a JSON Pointer, and what it is.
Noted = Callable[[str, str], None]
_TYPES = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "object": "object",
}
_DAYS = {"date": "date", "date-time": "datetime"}
#: Keywords that are read, or say nothing about values.
_KNOWN: Final = frozenset({
    "type", "properties", "required", "items", "enum", "const", "pattern", "format", "minimum",
    "maximum", "exclusiveMinimum", "exclusiveMaximum", "description", "title", "default",
    "examples", "example", "$id", "id", "$schema", "$comment", "$ref", "definitions", "$defs",
    "allOf", "additionalProperties", "deprecated", "readOnly", "writeOnly", "$anchor",
})  # fmt: skip
#: The references that were followed on the way to a schema: one that refers to itself is not followed again.
Inside = tuple[str, ...]


class Schemas:
    """Reads the schemas of one document, in which references are looked up."""

    def __init__(self, document: Any, note: Noted) -> None:
        self.document = document
        self.note = note

    def members(self, schema: Any, place: str, inside: Inside = ()) -> dict[str, Declared]:
        """Return the declarations of an object's members."""
        schema, inside = self._flat(schema, place, inside)
        if schema.get("additionalProperties") is False:
            self.note(f"{place}/additionalProperties", "`unknown` of the model judges undeclared names")
        elif isinstance(schema.get("additionalProperties"), dict):
            self.note(f"{place}/additionalProperties", "a schema for undeclared names is not expressed")
        required = schema.get("required")
        needed = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
        found = {
            name: replace(
                self._declared(one, f"{place}/properties/{_escaped(name)}", inside), required=name in needed
            )
            for name, one in members(schema, "properties").items()
        }
        for name in sorted(needed - found.keys()):
            found[name] = Declared(Type("any"), required=True)
        return found

    def _declared(self, schema: Any, place: str, inside: Inside) -> Declared:
        schema, inside = self._flat(schema, place, inside)
        self._unexpressed(schema, place)
        name = self._type(schema, place)
        if name == "array":
            return self._list(schema, place, inside)
        of = self.members(schema, place, inside) if name == "object" else {}
        text = schema.get("description")
        kind = Type(name)
        return Declared(kind, description=text if isinstance(text, str) else "", of=of,
                        constraints=self._constraints(kind, schema, place))  # fmt: skip

    def _list(self, schema: dict[str, Any], place: str, inside: Inside) -> Declared:
        items = schema.get("items")
        if isinstance(items, list):
            self.note(f"{place}/items", "items that each have a schema of their own are not expressed")
        one = self._declared(items, f"{place}/items", inside) if isinstance(items, dict) else None
        text = schema.get("description")
        description = text if isinstance(text, str) else ""
        if one is None or one.type.many:
            if one is not None:
                self.note(f"{place}/items", "lists of lists are lists of anything")
            return Declared(Type("any", many=True), description=description)
        return replace(one, type=Type(one.type.name, many=True), description=description)

    def _constraints(self, kind: Type, schema: dict[str, Any], place: str) -> Any:
        block: dict[str, Any] = {key: schema[key] for key in CONSTRAINTS if key in schema}
        if "const" in schema:
            block["enum"] = [schema["const"]]
        if isinstance(block.get("enum"), list):
            block["enum"] = [value for value in block["enum"] if value is not None]
        if block.get("format") in _DAYS:
            del block["format"]
        self._exclusive(schema, block, "minimum", place)
        self._exclusive(schema, block, "maximum", place)
        dropped: set[str] = set()

        def refuse(key: str, message: str, _: str) -> None:
            dropped.add(key)
            self.note(f"{place}/{key}", f"not expressed: {message}")

        found = read_constraints(kind, block, refuse)
        return replace(found, enum=()) if "enum" in dropped else found

    def _exclusive(self, schema: dict[str, Any], block: dict[str, Any], limit: str, place: str) -> None:
        """Make an exclusive limit of a whole number an inclusive one; report that of others."""
        key = f"exclusive{limit.capitalize()}"
        bound = schema.get(key)
        if bound is True:
            bound = block.pop(limit, None)
        if bound is None or bound is False:
            return
        if schema.get("type") == "integer" and type(bound) is int and limit not in block:
            block[limit] = bound + (1 if limit == "minimum" else -1)
        else:
            self.note(f"{place}/{key}", f"not expressed: an exclusive limit of {bound}")

    def _type(self, schema: dict[str, Any], place: str) -> str:
        given = schema.get("type")
        names = [
            name for name in (given if isinstance(given, list) else [given]) if name not in (None, "null")
        ]
        if len(names) > 1:
            self.note(f"{place}/type", f"one of several types ({', '.join(map(str, names))}) is `any`")
            return "any"
        name = names[0] if names else _implied(schema)
        if name == "integer":
            self.note(f"{place}/type", "`integer` is `number`, which takes fractions too")
        if name == "string" and schema.get("format") in _DAYS:
            return _DAYS[schema["format"]]
        return "array" if name == "array" else _TYPES.get(str(name), "any")

    def _unexpressed(self, schema: dict[str, Any], place: str) -> None:
        for key in schema:
            if key not in _KNOWN and not key.startswith("x-"):
                self.note(f"{place}/{_escaped(key)}", f"not expressed: `{key}`")

    def _flat(self, schema: Any, place: str, inside: Inside) -> tuple[dict[str, Any], Inside]:
        """Return a schema with what it refers to (`$ref`) and consists of (`allOf`)."""
        if not isinstance(schema, dict):
            return {}, inside
        if "$ref" in schema:
            reference = str(schema["$ref"])
            own = {key: value for key, value in schema.items() if key != "$ref"}
            if reference in inside:
                self.note(f"{place}/$ref", f"not expressed: `{reference}` refers to itself")
                return own, inside
            return self._flat({**self._target(reference, place), **own}, place, (*inside, reference))
        parts = schema.get("allOf")
        if not isinstance(parts, list):
            return schema, inside
        whole = {key: value for key, value in schema.items() if key != "allOf"}
        for number, part in enumerate(parts):
            flat, inside = self._flat(part, f"{place}/allOf/{number}", inside)
            _join(whole, flat)
        return whole, inside

    def _target(self, reference: str, place: str) -> dict[str, Any]:
        if not reference.startswith("#"):
            self.note(f"{place}/$ref", f"not expressed: `{reference}` is not in this document")
            return {}
        found = self.document
        for step in reference[1:].strip("/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if name and isinstance(found, dict) else found if not name else None
        if not isinstance(found, dict):
            self.note(f"{place}/$ref", f"not expressed: there is no `{reference}`")
            return {}
        return found


def _implied(schema: dict[str, Any]) -> str | None:
    """Return the type that a schema without one means by its keywords."""
    if "properties" in schema:
        return "object"
    if "items" in schema:
        return "array"
    if "pattern" in schema or schema.get("format") in (*FORMATS, *_DAYS):
        return "string"
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    values = [one for one in values if one is not None] if isinstance(values, list) else []
    return "string" if values and all(type(one) is str for one in values) else None


def _join(whole: dict[str, Any], part: dict[str, Any]) -> None:
    for key, value in part.items():
        if key == "properties":
            whole[key] = {**members(whole, key), **members(part, key)}
        elif key == "required" and isinstance(value, list):
            whole[key] = [*whole.get(key, []), *value]
        else:
            whole.setdefault(key, value)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
