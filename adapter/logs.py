"""Structured logs: one JSON object a line, and never a word of what customers sent.

What is logged is chosen field by field (`extra={"source": "segment"}`). Of an exception only its type and the
places that it passed are logged, because its message may quote a body.
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

#: What every record has; the rest came through `extra`.
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
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = describe(record.exc_info[1])
        return _encode(line).decode()


class RateLimitedWarning:
    """Warns of what may happen by the thousand: one line a minute for each kind, with how many there were.

    The first of a kind is told at once; what comes within a minute is counted, and told with the first that
    comes later. There must be few kinds, and none may name anybody. `clock` returns the moment now.
    """

    def __init__(self, log: logging.Logger, message: str, clock: Callable[[], datetime]) -> None:
        self._log = log
        self._message = message
        self._clock = clock
        self._untold: Counter[tuple[tuple[str, str | int], ...]] = Counter()
        self._told: dict[tuple[tuple[str, str | int], ...], datetime] = {}

    def note(self, count: int = 1, /, **kind: str | int) -> None:
        """Count what has happened; `kind` becomes the fields of the line."""
        key, now = tuple(kind.items()), self._clock()
        self._untold[key] += count
        told = self._told.get(key)
        # A clock that jumped back must not silence us until it has come round again.
        if told is None or abs(now - told) >= _EVERY:
            self._told[key] = now
            self._log.warning(self._message, extra={**kind, "count": self._untold.pop(key)})


def describe(error: BaseException) -> dict[str, Any]:
    """Return an exception's type and the places it passed; its message only where it is ours."""
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


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send all logs of this process to a stream (standard error) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "watchfiles"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
