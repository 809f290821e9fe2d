"""What a reload changed: the files and the names of mappings and rules, for the log."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from msgspec import Struct

from adapter.services.loaded_files import LoadedFiles

#: Longer lists are cut, and end with how many more there are.
_MOST = 50


class _Entry(Struct, frozen=True):
    """What an entry says, and the file that has it."""

    said: Any
    file: str


def changes(before: LoadedFiles, after: LoadedFiles) -> dict[str, list[str]]:
    """Return what differs: `files`, and the names that were `added`, `changed` and `removed`.

    A change of what rules share (`definitions.yaml`) is a change of the rules that use it.
    """
    old, new = _entries(before), _entries(after)
    added = [name for name in new if name not in old]
    removed = [name for name in old if name not in new]
    changed = [name for name in new if name in old and new[name].said != old[name].said]
    files = {new[name].file for name in (*added, *changed)} | {old[name].file for name in removed}
    found = {
        "files": sorted(files),
        "added": list(map(_shown, added)),
        "changed": list(map(_shown, changed)),
        "removed": list(map(_shown, removed)),
    }
    return {name: _cut(listed) for name, listed in found.items() if listed}


def _entries(files: LoadedFiles) -> Mapping[tuple[str, ...], _Entry]:
    entries: dict[tuple[str, ...], _Entry] = {}
    for each in files.mappings.mappings:
        said = (each.subscribe, each.events, each.action, each.fields, each.tables)
        entries["mapping", each.source, each.name] = _Entry(said, each.document.file)
    rules = files.rules
    for rule in rules.rules:
        said_of_rule = (rule, rules.nodes[rule.name], rules.values[rule.name])
        entries["rule", rule.name] = _Entry(said_of_rule, rules.places[rule.name].file)
    model = files.mappings.model
    if model is not None:
        for kind, declared in (("trait", model.traits), ("event", model.events)):
            for name, declaration in declared.items():
                entries["model", kind, name] = _Entry(declaration, model.file)
    return entries


def _shown(name: tuple[Hashable, ...]) -> str:
    kind, *rest = map(str, name)
    return f"{kind} {' '.join(rest)}"


def _cut(listed: list[str]) -> list[str]:
    return listed if len(listed) <= _MOST else [*listed[:_MOST], f"and {len(listed) - _MOST} more"]
