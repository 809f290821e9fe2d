"""Structured logs: one line for each record, in JSON or for people, without data of customers.

Fields are explicit (`extra={"source": "segment"}`). Only the type and the stack of an exception are logged,
because its message may quote a body.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

import msgspec

from adapter.errors import AdapterError

#: Attributes of every record; the others come from `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_EVERY = timedelta(minutes=1)
_encode = msgspec.json.Encoder(enc_hook=str).encode


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: `at`, `level`, `logger`, `message`, then its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        return _encode(line | _fields(record)).decode()


class ConsoleLines(logging.Formatter):
    """Formats a record for people: UTC time, level and message, then its fields as `name=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        at = datetime.fromtimestamp(record.created, UTC)
        fields = "".join(f" {name}={_shown(value)}" for name, value in _fields(record).items())
        message = record.getMessage().replace("\n", " ")
        return f"{at:%H:%M:%S} {record.levelname.lower():<7} {message}{fields}"


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields that a caller gave, and the error."""
    found = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    if record.exc_info and record.exc_info[1] is not None:
        found["error"] = describe(record.exc_info[1])
    return found


def _shown(value: Any) -> str:
    plain = isinstance(value, str) and value.isprintable() and " " not in value and value
    return str(value) if plain else _encode(value).decode()


class RateLimitedWarning:
    """A warning for frequent events: one line a minute for each kind, with the count.

    The first event of a kind is logged at once; events of the next minute are counted, and logged with the
    first one after it. There must be few kinds, without personal data. `clock` returns the current time.
    """

    def __init__(self, log: logging.Logger, message: str, clock: Callable[[], datetime]) -> None:
        self._log = log
        self._message = message
        self._clock = clock
        self._pending: Counter[tuple[tuple[str, str | int], ...]] = Counter()
        self._logged_at: dict[tuple[tuple[str, str | int], ...], datetime] = {}

    def note(self, count: int = 1, /, **kind: str | int) -> None:
        """Count events; `kind` becomes the fields of the line."""
        key, now = tuple(kind.items()), self._clock()
        self._pending[key] += count
        logged_at = self._logged_at.get(key)
        # A clock that was set back must not suppress the warning until it catches up.
        if logged_at is None or abs(now - logged_at) >= _EVERY:
            self._logged_at[key] = now
            self._log.warning(self._message, extra={**kind, "count": self._pending.pop(key)})


def describe(error: BaseException) -> dict[str, Any]:
    """Return an exception's type and stack; the message only of an AdapterError."""
    described: dict[str, Any] = {
        "type": type(error).__name__,
        "at": [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ],
    }
    if isinstance(error, AdapterError):
        described["message"] = error.message
    return described


#: By the names of `log.format`.
FORMATTERS = {"json": JsonLines, "console": ConsoleLines}


def configure(level: str, stream: TextIO | None = None, form: str = "json") -> None:
    """Send all logs of this process to a stream (standard error) in a form of FORMATTERS."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(FORMATTERS[form]())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("aiohttp", "watchfiles"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
