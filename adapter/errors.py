"""The errors that the adapter raises, by two questions: who caused it, and may it be retried.

    AdapterError
        Refused                 the request is invalid: do not retry
            Unauthorised            missing or wrong credentials
            Unreadable              the body cannot be parsed by this endpoint
            TooLarge                over a limit of the settings
            TooManyOperations       over the number of operations of one request (422)
            RemoteCore              the remote core answers this, see its host in the message (421)
            HeadTooLarge            the URL and headers are too long
            InvalidDraft            draft rules or mappings have errors (422)
            InvalidImport           a file cannot be imported as it is
            NotFound                no such discount, customer, delivery
            WrongMove               the move is not allowed in the discount's status (409)
                Pending                 pending until the customer is merged with the holder
        Unavailable             the server or the store failed: retry later
            StoreUnavailable        the store failed: HTTP clients do not see its location
                StoreInUse          another process has locked it
                StoreLost           its file was removed or overwritten while it was open
            TooManyAttempts         too many wrong tokens at the sign-in of the console (429)
        MappingError            one message cannot be mapped: it is quarantined
        InvalidFiles            mapping, rule or configuration files with errors

Messages are one sentence, lower case, without a full stop, and contain a remedy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapter.files.problems import Problem


class AdapterError(Exception):
    """The root of the tree."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def public_message(self) -> str:
        """The message for HTTP clients."""
        return self.message


class Refused(AdapterError):
    """The request cannot succeed without a change."""

    code = "refused"


class Unauthorised(Refused):
    """The credentials are missing (401) or wrong (403)."""

    code = "unauthorised"

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


class Forbidden(Refused):
    """The credentials are known, and do not give the right to this (403)."""

    code = "forbidden"


class Unreadable(Refused):
    """The body cannot be parsed by this endpoint."""

    code = "unreadable"


class TooLarge(Refused):
    """The body is over a limit of the settings."""

    code = "too_large"


class TooManyOperations(Refused):
    """The request has more operations than one request may have (422)."""

    code = "too_many_operations"


class RemoteCore(Refused):
    """Only the core answers this call, and this process is not it (421)."""

    code = "remote_core"


class HeadTooLarge(Refused):
    """The URL and the headers are over the limit."""

    code = "head_too_large"


class InvalidDraft(Refused):
    """Draft rules or mappings with errors; the message has all of them, one a line (422)."""

    code = "invalid_draft"


class InvalidImport(Refused):
    """A file, or an option of its import, that cannot be used: nothing of it was stored."""

    code = "invalid_import"


class NotFound(Refused):
    """There is no such object."""

    code = "not_found"


class WrongMove(Refused):
    """The move is not allowed in the discount's status."""

    code = "wrong_move"


class Pending(WrongMove):
    """The discount is held by another customer: the move is pending until the two are merged."""

    code = "pending"


class Unavailable(AdapterError):
    """The request failed now; it may be retried.

    `retry_after` is in seconds.
    """

    code = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StoreUnavailable(Unavailable):
    """The store cannot be used; the message has its location, for the log and the command line."""

    @property
    def public_message(self) -> str:
        """A message without the store's location."""
        return "the store cannot be used now"


class StoreInUse(StoreUnavailable):
    """Another process has locked the store."""


class StoreLost(StoreUnavailable):
    """The store's file is not the one that was opened; `what` is the reason without its location."""

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message, retry_after=5)
        self.what = what

    @property
    def public_message(self) -> str:
        """What happened to the store's file."""
        return self.what


class TooManyAttempts(Unavailable):
    """Too many wrong tokens were given to sign in (429)."""

    code = "too_many_attempts"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"too many wrong tokens: try again in {retry_after} seconds", retry_after=retry_after
        )


class MappingError(AdapterError):
    """One message cannot be mapped; the rest of the batch is processed."""

    code = "mapping"


class InvalidFiles(AdapterError):
    """Files with errors, with all their problems."""

    code = "invalid_files"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
