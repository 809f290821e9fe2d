"""SQL in files of its own: each statement with a name and a line that says what it is for.

A file is a list of blocks; the lines of a block end with the first blank line after a semicolon:

    -- name --
    -- One sentence or more on what the statement is for.
    SELECT 1;
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources.abc import Traversable

_NAME = re.compile(r"-- ([a-z_]+) --\Z")


class MalformedStatements(Exception):
    """A statement file that is not written as the module says; a mistake of ours, not of a user."""


def parse(text: str) -> dict[str, str]:
    """Return the statements of one file by name, comments and closing semicolons dropped."""
    statements: dict[str, str] = {}
    for block in re.split(r"\n(?=-- [a-z_]+ --\n)", "\n" + text.strip()):
        if block.strip():
            name, statement = _read_block(block.strip())
            if name in statements:
                raise MalformedStatements(f"`{name}` is defined twice")
            statements[name] = statement
    return statements


def load(folder: Traversable) -> dict[str, str]:
    """Return the statements of all `.sql` files of a folder by name."""
    statements: dict[str, str] = {}
    for file in _sql_files(folder):
        found = parse(file.read_text(encoding="utf-8"))
        if twice := statements.keys() & found.keys():
            raise MalformedStatements(f"`{min(twice)}` is defined in two files")
        statements |= found
    return statements


def _sql_files(folder: Traversable) -> Iterable[Traversable]:
    return sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name
    )


def _read_block(block: str) -> tuple[str, str]:
    head, *lines = block.split("\n")
    name = _NAME.match(head)
    if name is None:
        raise MalformedStatements(f"`{head}` is in the place of `-- name --`")
    if not lines or not lines[0].startswith("-- "):
        raise MalformedStatements(f"`{name[1]}` has no line that says what it is for")
    statement = "\n".join(line for line in lines if not line.startswith("--")).strip()
    if not statement.endswith(";"):
        raise MalformedStatements(f"`{name[1]}` does not end with a semicolon")
    return name[1], statement[:-1]
