"""Errors to HTTP, in one table. docs/errors.md has a heading for every code.

A CDP drops a message for ever on a 4xx, so what is not plainly the sender's fault is a 503.
"""

from __future__ import annotations

import logging

from msgspec import Struct

from adapter.errors import (
    AdapterError,
    HeadTooLarge,
    NotFound,
    Refused,
    TooLarge,
    Unauthorised,
    Unavailable,
    Unreadable,
    WrongMove,
)

_log = logging.getLogger(__name__)

#: Status by kind of error; the nearest ancestor counts. A missing credential is 401 instead of 403.
STATUS: dict[type[AdapterError], int] = {
    Unreadable: 400,
    Unauthorised: 403,
    NotFound: 404,
    WrongMove: 409,
    TooLarge: 413,
    HeadTooLarge: 431,
    Refused: 400,
    Unavailable: 503,
    AdapterError: 500,
}
#: The codes that are no error of ours: nothing there, wrong method, something nobody foresaw.
OTHER_CODES = ("not_found", "method_not_allowed", "unexpected")
UNEXPECTED = "something went wrong here; the log has the details"


class Failure(Struct, frozen=True):
    """An error as HTTP tells it; `retry_after` is in seconds."""

    status: int
    code: str
    message: str
    retry_after: int | None = None


def failure(error: Exception, *, unexpected: int = 500) -> Failure:
    """Return how an error is told; one that nobody foresaw is logged, and told without its words."""
    if isinstance(error, AdapterError):
        return Failure(_status(error), error.code, error.told, _retry_after(error))
    _log.error("unexpected error", exc_info=error)
    return Failure(unexpected, "unexpected", UNEXPECTED, 1 if unexpected == 503 else None)


def _status(error: AdapterError) -> int:
    if isinstance(error, Unauthorised) and error.missing:
        return 401
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def _retry_after(error: AdapterError) -> int | None:
    return error.retry_after if isinstance(error, Unavailable) else None
