"""Convert the value of one setting from TOML or text to its type; secrets come from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from adapter.files.problems import Mark, Problem, did_you_mean
from adapter.settings import dsn
from adapter.settings.fields import Field
from adapter.settings.scalars import Secret, Secrets

_WORDS = {
    "`int`": "a whole number",
    "`str`": "text",
    "`bool`": "true or false",
    "`float`": "a number",
    "`array`": "a list",
    "`object`": "a table",
}

_PASSWORD = re.compile(r"://[^/@:]*:[^/@]+@")


def convert(
    field: Field, value: Any, environ: Mapping[str, str], mark: Mark, *, text: bool
) -> tuple[Any, list[Problem]]:
    """Return the value in the setting's type, and its problems.

    `text` says that the value comes from the environment: lists are separated by commas.
    """
    if text and not _is_utf8(value):
        return None, [Problem(mark, f"`{field.name}` is not UTF-8 text", "write it in UTF-8")]
    if field.type == Secrets:
        return _secrets(field, value, environ, mark, text=text)
    if field.type is Secret:
        return _secret(field, value, environ, mark, text=text)
    if _is_reference(value):
        found, problems = _referred(field, value, environ, mark)
        return (found, problems) if problems else convert(field, found, environ, mark, text=True)
    if text and get_origin(field.type) is tuple and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        converted = msgspec.convert(value, field.type, strict=not text)
    except msgspec.ValidationError as error:
        return None, [_mistyped(field, value, error, mark)]
    if not text and isinstance(converted, str) and _holds_password(converted):
        remedy = f'write `{field.keys[-1]} = {{env = "NAME"}}` and put it into the environment as NAME'
        return None, [Problem(mark, f"`{field.name}` has a password in the file", remedy)]
    return converted, []


def _is_utf8(value: Any) -> bool:
    """Return whether text has no undecodable bytes, which Python decodes to surrogates."""
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return False
    return True


def _holds_password(text: str) -> bool:
    return dsn.holds_password(text) if dsn.is_postgresql(text) else _PASSWORD.search(text) is not None


def _secrets(
    field: Field, value: Any, environ: Mapping[str, str], mark: Mark, *, text: bool
) -> tuple[Secrets, list[Problem]]:
    if text:
        listed = tuple(Secret(part.strip()) for part in value.split(",") if part.strip())
        return listed, [] if listed else [_empty(field, mark)]
    entries = value if isinstance(value, list) else [value]
    problems: list[Problem] = []
    secrets: list[Secret] = []
    for entry in entries:
        if not _is_reference(entry):
            remedy = f'write `{field.keys[-1]} = [{{env = "NAME"}}]` and put it into the environment as NAME'
            problems.append(Problem(mark, f"`{field.name}` has a secret in the file", remedy))
            continue
        found, wrong = _referred(field, entry, environ, mark)
        problems += wrong
        secrets += [Secret(found)] if found else []
    return tuple(secrets), problems


def _secret(
    field: Field, value: Any, environ: Mapping[str, str], mark: Mark, *, text: bool
) -> tuple[Secret, list[Problem]]:
    """Return the secret of a setting that holds one; in the environment a comma is part of it."""
    if text:
        found = Secret(value.strip())
        return found, [] if found else [_empty(field, mark)]
    if not _is_reference(value):
        remedy = f'write `{field.keys[-1]} = {{env = "NAME"}}` and put it into the environment as NAME'
        return Secret(), [Problem(mark, f"`{field.name}` has a secret in the file", remedy)]
    named, problems = _referred(field, value, environ, mark)
    return Secret(named), problems


def _empty(field: Field, mark: Mark) -> Problem:
    """Return the problem of an empty secret, which would disable the authentication that it should enable."""
    message = f"`{field.name}` is empty"
    return Problem(mark, message, f"unset {field.variable}, or give it a value")


def _is_reference(value: Any) -> bool:
    """Return whether a value names where it is: `{env = "NAME"}` or `{file = "PATH"}`."""
    return isinstance(value, dict) and set(value) in ({"env"}, {"file"})


def _referred(
    field: Field, value: Mapping[str, Any], environ: Mapping[str, str], mark: Mark
) -> tuple[str, list[Problem]]:
    if "env" in value:
        return _variable(field, value["env"], environ, mark)
    name = value["file"]
    if not isinstance(name, str) or not name or "\0" in name:
        return "", [Problem(mark, f"`{field.name}` has no name of a file", 'write {file = "PATH"}')]
    try:
        found = Path(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "").lower() if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"`{field.name}` is read from `{name}`, which cannot be read: {reason}"
        return "", [Problem(mark, message, "name an existing file, or remove the entry")]
    if found:
        return found, []
    message = f"`{field.name}` is read from `{name}`, which is empty"
    return "", [Problem(mark, message, "write the value into that file, or remove the entry")]


def _variable(field: Field, name: Any, environ: Mapping[str, str], mark: Mark) -> tuple[str, list[Problem]]:
    if not isinstance(name, str):
        return "", [Problem(mark, f"`{field.name}` has no name of a variable", 'write {env = "NAME"}')]
    found = environ.get(name, "").strip()
    if found and not _is_utf8(found):
        return "", [
            Problem(
                mark, f"`{field.name}` is read from `{name}`, which is not UTF-8 text", "write it in UTF-8"
            )
        ]
    if found:
        return found, []
    message = f"`{field.name}` is read from `{name}`, which is not set in the environment"
    return "", [Problem(mark, message, f"set {name}, or remove the entry")]


def _mistyped(field: Field, value: Any, error: msgspec.ValidationError, mark: Mark) -> Problem:
    if get_origin(field.type) is Literal:
        allowed = [str(word) for word in get_args(field.type)]
        return Problem(mark, f"`{field.name}` cannot be `{value}`", did_you_mean(str(value), allowed))
    expected = re.sub(r" - at `.*`$", "", str(error)).replace("Expected", "must be").replace(", got", ", not")
    for theirs, ours in _WORDS.items():
        expected = expected.replace(theirs, ours)
    return Problem(mark, f"`{field.name}` {expected}", f"its default is `{_toml(field.default)}`")


def _toml(value: Any) -> str:
    return msgspec.json.encode(value).decode()
