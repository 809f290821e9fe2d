"""The tree of settings as a flat list: one entry per setting, with its path and type."""

from __future__ import annotations

from typing import Any, get_type_hints

from msgspec import NODEFAULT, Struct, structs

from adapter.settings.destinations.registry import DESTINATION_TYPES, Destinations
from adapter.settings.values import Settings

Keys = tuple[str, ...]


class Field(Struct, frozen=True):
    """One setting: `("server", "port")`, its type, and its default."""

    keys: Keys
    type: Any
    default: Any

    @property
    def name(self) -> str:
        """`server.port`."""
        return ".".join(self.keys)

    @property
    def variable(self) -> str:
        """`ADAPTER_SERVER_PORT`."""
        return "ADAPTER_" + "_".join(self.keys).upper()


def fields(of: type[Struct] = Settings, prefix: Keys = ()) -> list[Field]:
    """Return every setting below a section, in the order in which it is declared."""
    hints = get_type_hints(of, include_extras=True)
    found: list[Field] = []
    for field in structs.fields(of):
        keys, kind = (*prefix, field.name), hints[field.name]
        if isinstance(kind, type) and issubclass(kind, Struct):
            found += fields(kind, keys)
        elif of is not Destinations:  # of which `named` is no setting, but holds sections
            found.append(Field(keys, kind, _default(field)))
    return found


def _default(field: structs.FieldInfo) -> Any:
    if field.default is not NODEFAULT:
        return field.default
    return None if field.default_factory is NODEFAULT else field.default_factory()


#: Every setting by its path.
FIELDS: dict[Keys, Field] = {field.keys: field for field in fields()}
#: Every section by its path.
SECTIONS: frozenset[Keys] = frozenset(keys[:depth] for keys in FIELDS for depth in range(1, len(keys)))


def build(chosen: dict[Keys, Any], of: type[Struct] = Settings, prefix: Keys = ()) -> Any:
    """Build a section from values by path; the others keep their defaults."""
    hints = get_type_hints(of, include_extras=True)
    values: dict[str, Any] = {}
    for field in structs.fields(of):
        keys, kind = (*prefix, field.name), hints[field.name]
        if isinstance(kind, type) and issubclass(kind, Struct):
            values[field.name] = build(chosen, kind, keys)
        elif keys in chosen:
            values[field.name] = chosen[keys]
    if of is Destinations:
        values["named"] = _named(chosen, prefix)
    return of(**values)


def _named(chosen: dict[Keys, Any], prefix: Keys) -> dict[str, Any]:
    """Build the destinations that are not declared, each by its type."""
    depth = len(prefix)
    names = dict.fromkeys(keys[depth] for keys in chosen if keys[:depth] == prefix and keys not in FIELDS)
    types = {name: DESTINATION_TYPES[chosen[*prefix, name, "type"]] for name in names}
    return {name: build(chosen, kind, (*prefix, name)) for name, kind in types.items()}
