"""Dump values as YAML that `adapter.files.yaml` reads back unchanged."""

from __future__ import annotations

import re
from typing import Any

import yaml

#: Text that is unambiguous without quotes; all other text is quoted.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.@/-]*(?: [A-Za-z0-9_.@/-]+)*\Z")
_WORDS = frozenset({"null", "true", "false", "y", "yes", "n", "no", "on", "off"})


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    plain = _PLAIN.match(value) and value.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


def _number(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", repr(value))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(float, _number)


def dump(value: Any, indent: int = 0) -> str:
    """Return a value as YAML lines, each indented by so many spaces."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
    )
    text = text.removesuffix("\n").removesuffix("\n...")
    return "\n".join(" " * indent + line for line in text.split("\n"))
