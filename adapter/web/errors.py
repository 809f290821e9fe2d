"""The HTTP status of each error, in one table. docs/errors.md has a heading for each code.

A CDP drops a message permanently on a 4xx, so any error that is not clearly the sender's is a 503.
"""

from __future__ import annotations

import logging

from msgspec import Struct

from adapter.errors import (
    AdapterError,
    Forbidden,
    HeadTooLarge,
    InvalidDraft,
    NotFound,
    Refused,
    RemoteCore,
    TooLarge,
    TooManyAttempts,
    TooManyOperations,
    Unauthorised,
    Unavailable,
    Unreadable,
    WrongMove,
)

_log = logging.getLogger(__name__)

#: Status by class of error; the nearest base class counts. A missing credential is 401 instead of 403.
STATUS: dict[type[AdapterError], int] = {
    Unreadable: 400,
    Unauthorised: 403,
    Forbidden: 403,
    NotFound: 404,
    WrongMove: 409,
    TooLarge: 413,
    TooManyOperations: 422,
    InvalidDraft: 422,
    RemoteCore: 421,
    TooManyAttempts: 429,
    HeadTooLarge: 431,
    Refused: 400,
    Unavailable: 503,
    AdapterError: 500,
}
#: The codes that do not come from an AdapterError.
OTHER_CODES = ("not_found", "method_not_allowed", "unexpected")
UNEXPECTED = "unexpected error; the server's log has the details"


class Failure(Struct, frozen=True):
    """An error as HTTP shows it; `retry_after` is in seconds."""

    status: int
    code: str
    message: str
    retry_after: int | None = None


def failure(error: Exception, *, unexpected: int = 500) -> Failure:
    """Return the failure for an error; any other than an AdapterError is logged, and its message hidden."""
    if isinstance(error, AdapterError):
        return Failure(_status(error), error.code, error.public_message, _retry_after(error))
    _log.error("unexpected error", exc_info=error)
    return Failure(unexpected, "unexpected", UNEXPECTED, 1 if unexpected == 503 else None)


def _status(error: AdapterError) -> int:
    if isinstance(error, Unauthorised) and error.missing:
        return 401
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def _retry_after(error: AdapterError) -> int | None:
    return error.retry_after if isinstance(error, Unavailable) else None
