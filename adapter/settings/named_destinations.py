"""Destinations that the file names: `[destinations.NAME]` with a `type`, besides `[destinations.webhook]`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from adapter.files.problems import Mark, Problem, did_you_mean
from adapter.settings.destinations.base import DestinationSettings
from adapter.settings.destinations.registry import DESTINATION_TYPES
from adapter.settings.fields import FIELDS, Field, Keys, fields

SECTION = "destinations"
#: So that each setting has one variable in the environment: `ADAPTER_DESTINATIONS_NAME_URL`.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TYPES = "write one of " + ", ".join(f'`type = "{name}"`' for name in DESTINATION_TYPES)


def named_fields(
    table: Mapping[str, Any], mark: Callable[[Keys], Mark]
) -> tuple[dict[Keys, Field], list[Problem]]:
    """Return the settings of the destinations that a file's table names, and the problems of their sections.

    `mark` returns the place of a section.
    """
    found: dict[Keys, Field] = {}
    problems: list[Problem] = []
    sections = table.get(SECTION)
    for name, section in sections.items() if isinstance(sections, dict) else ():
        keys = (SECTION, name)
        if any(known[:2] == keys for known in FIELDS) or not isinstance(section, dict):
            continue
        if not _NAME.fullmatch(name):
            message = f"`{name}` cannot name a destination"
            problems.append(Problem(mark(keys), message, "use small letters, digits and `_`, as in `crm_eu`"))
        if "type" not in section:
            static = {known[1] for known in FIELDS if known[0] == SECTION}
            hint = did_you_mean(name, static)
            problems.append(Problem(mark(keys), f"`{SECTION}.{name}` has no `type`", f"{_TYPES}; {hint}"))
        found |= {field.keys: _naming_every_type(field) for field in fields(_type_of(section), keys)}
    return found, problems


def _naming_every_type(field: Field) -> Field:
    """Return a setting; for `type` with all types, so that the problem of an unknown one names them."""
    if field.keys[2:] != ("type",):
        return field
    return Field(field.keys, Literal[tuple(DESTINATION_TYPES)], field.default)


def _type_of(section: Mapping[str, Any]) -> type[DestinationSettings]:
    """Return the settings of a section's type; those of the first type where its own is unknown."""
    types = [kind for name, kind in DESTINATION_TYPES.items() if name == section.get("type")]
    return types[0] if types else next(iter(DESTINATION_TYPES.values()))
