"""Logs: one JSON object a line, and no words of customers."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from adapter import logs
from adapter.errors import Unavailable


@pytest.fixture
def lines() -> Iterator[Any]:
    """Return a reader of what was logged while the test ran."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_record_is_one_json_line_with_the_fields_it_was_given(lines: Any) -> None:
    logging.getLogger("adapter.x").warning("mappings\nread", extra={"file": "a.yaml", "count": 3})
    [line] = lines()
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "warning", "logger": "adapter.x", "message": "mappings\nread", "file": "a.yaml", "count": 3,
    }  # fmt: skip


def test_console_lines_are_for_people() -> None:
    record = logging.makeLogRecord(
        {"created": 3600, "levelname": "WARNING", "msg": "read\nagain", "file": "a.yaml", "why": "no name"}
    )
    line = logs.ConsoleLines().format(record)
    assert line == '01:00:00 warning read again file=a.yaml why="no name"'


def test_console_lines_have_no_words_of_an_exception() -> None:
    record = logging.makeLogRecord({"msg": "failed", "exc_info": (KeyError, KeyError("ann@x.test"), None)})
    line = logs.ConsoleLines().format(record)
    assert "KeyError" in line
    assert "ann@x.test" not in line


def test_lines_below_the_level_are_not_logged(lines: Any) -> None:
    logging.getLogger("adapter").debug("quiet")
    assert lines() == []


def test_an_unexpected_error_is_logged_by_type_and_place_without_its_words(lines: Any) -> None:
    try:
        raise KeyError("jane@example.com")
    except KeyError:
        logging.getLogger("adapter").exception("unexpected error")
    [line] = lines()
    assert line["error"]["type"] == "KeyError"
    assert "test_logs.py" in line["error"]["at"][0]
    assert "jane" not in json.dumps(line)


def test_an_error_of_ours_is_logged_with_its_message(lines: Any) -> None:
    logging.getLogger("adapter").error("no commit", exc_info=Unavailable("the store is locked"))
    assert lines()[0]["error"]["message"] == "the store is locked"
