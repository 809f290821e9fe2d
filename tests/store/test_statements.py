"""The parser of statement files, and that every statement is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.store.statements import MalformedStatements, load, parse

STORE = Path(__file__).parents[2] / "adapter" / "store"
ENGINES = sorted(path.parent.name for path in STORE.glob("*/queries"))


def test_statements_are_read_by_name() -> None:
    text = (
        "-- one --\n-- What it is for.\nSELECT 1;\n\n-- two_of --\n-- First.\n-- Second.\nSELECT\n\n    2;\n"
    )
    assert parse(text) == {"one": "SELECT 1", "two_of": "SELECT\n\n    2"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1;", "`SELECT 1;` is in the place of `-- name --`"),
        ("-- one --\nSELECT 1;", "`one` has no line that says what it is for"),
        ("-- one --\n-- For.\nSELECT 1", "`one` does not end with a semicolon"),
        ("-- one --\n-- For.\nSELECT 1;\n\n-- one --\n-- For.\nSELECT 1;", "`one` is defined twice"),
    ],
)
def test_a_malformed_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(MalformedStatements, match=message):
        parse(text)


def test_a_name_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a.sql", "b.sql"):
        (tmp_path / name).write_text("-- one --\n-- For.\nSELECT 1;\n")
    with pytest.raises(MalformedStatements, match="`one` is defined in two files"):
        load(tmp_path)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_statement_is_used(engine: str) -> None:
    code = "".join(
        path.read_text() for path in (*(STORE / "tables").glob("*.py"), *(STORE / engine).glob("*.py"))
    )
    assert [name for name in load(STORE / engine / "queries") if f'"{name}"' not in code] == []
