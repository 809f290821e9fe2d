"""Every error the adapter raises on purpose, on two axes: whose fault, and may it be retried.

    AdapterError
        Refused                 the caller's fault: do not send the same again
            Unauthorised            missing or wrong credentials
            Unreadable              the body is not what this endpoint takes
            TooLarge                over a limit that the settings name
            HeadTooLarge            its address and headers are longer than any sender's
            NotFound                no such discount, customer, delivery
            WrongMove               a discount cannot move from where it is (409)
                Pending                 it moves once the customer turns out to be its holder
        Unavailable             our fault or our store's: the same may be sent again later
            StoreUnavailable        the store's: HTTP clients do not learn its location
                StoreInUse          another process has it, which may be asked instead
                StoreLost           its file was removed or overwritten while it was open
        MappingError            one message cannot be mapped: it goes to quarantine
        InvalidFiles            mapping, rule or configuration files that do not check

Messages are one sentence, lower case, without a full stop, and say what to do.
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
    """The request can never succeed as it was sent."""

    code = "refused"


class Unauthorised(Refused):
    """The credentials are missing (401) or wrong (403)."""

    code = "unauthorised"

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


class Unreadable(Refused):
    """The body cannot be parsed into what this endpoint takes."""

    code = "unreadable"


class TooLarge(Refused):
    """The body is over the limit that the settings name."""

    code = "too_large"


class HeadTooLarge(Refused):
    """The address and the headers are longer than any sender's."""

    code = "head_too_large"


class NotFound(Refused):
    """There is nothing under that name."""

    code = "not_found"


class WrongMove(Refused):
    """The discount cannot move there from its status."""

    code = "wrong_move"


class Pending(WrongMove):
    """The discount is held by another customer: the move waits until both are merged."""

    code = "pending"


class Unavailable(AdapterError):
    """The work could not be done now; the same request may be sent again.

    `retry_after` is in seconds.
    """

    code = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StoreUnavailable(Unavailable):
    """The store cannot be used; the message, which names it, is for the log and the command line."""

    @property
    def public_message(self) -> str:
        """A message without the store's location."""
        return "the store cannot be used now"


class StoreInUse(StoreUnavailable):
    """Another process has the store to itself."""


class StoreLost(StoreUnavailable):
    """The store's file is not the one that was opened; `what` says what happened, without its place."""

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message, retry_after=5)
        self.what = what

    @property
    def public_message(self) -> str:
        """What happened to the store's file."""
        return self.what


class MappingError(AdapterError):
    """One message cannot be mapped; its batch goes on without it."""

    code = "mapping"


class InvalidFiles(AdapterError):
    """Files that do not check, with every problem found in them."""

    code = "invalid_files"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
