"""The text of a filter: `source:segment event:"Order Completed" outcome:quarantined since:1h u-7`.

Words without a qualifier are a message id, a customer's id or an email address. Of the qualifiers that may be
repeated, one of the values must fit; all others must hold together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, get_args

from msgspec import Struct

from adapter.errors import Unreadable
from adapter.model.emails import normal
from adapter.model.journal import JournalOutcome
from adapter.model.spelling import spelling
from adapter.services.arrivals.filters import MessageFilter

#: A longer text is no filter.
LONGEST: Final = 1_000
OUTCOMES: Final[tuple[str, ...]] = get_args(JournalOutcome)
#: What each qualifier says, for people.
QUALIFIERS: Final = {
    "source": "who sent it, as segment",
    "type": "the type of call or event, as track",
    "event": "the name of the event, in any spelling",
    "outcome": f"one of {', '.join(OUTCOMES)}",
    "rule": "a rule whose conditions held",
    "customer": "an id of the customer",
    "email": "an email address of the customer",
    "message": "the id of the message",
    "reason": "a part of the reason",
    "since": "30m, 12h, 1d, or a time as 2026-11-30T14:00",
}
_REPEATED: Final = frozenset(("source", "type", "event", "outcome", "rule"))
_SPAN: Final = re.compile(r"(\d{1,5})(s|m|h|d)")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_NAME: Final = re.compile(r"[A-Za-z_]+:")


class FilterError(Unreadable):
    """A filter that cannot be read; `at` is the place of the mistake, counted in characters from 0."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


class Term(Struct, frozen=True):
    """A value with its qualifier, empty for a word alone; `at` is where it begins."""

    qualifier: str
    value: str
    at: int


def parsed(text: str, now: datetime) -> MessageFilter:
    """Return the filter that a text says; raises FilterError. `since:1h` counts from `now`."""
    if len(text) > LONGEST:
        raise FilterError(f"the filter is longer than {LONGEST} characters", LONGEST)
    found: dict[str, list[Term]] = {}
    for term in _terms(text):
        before = found.setdefault(term.qualifier, [])
        if before and term.qualifier not in _REPEATED:
            raise FilterError(_twice(term), term.at)
        before.append(term)
    return MessageFilter(
        sources=_all(found, "source"),
        types=_all(found, "type"),
        events=_all(found, "event", lambda term: spelling(term.value)),
        outcomes=_all(found, "outcome", _outcome),
        rules=_all(found, "rule"),
        customer=_one(found, "customer"),
        email=_email(found),
        message=_one(found, "message"),
        reason=_one(found, "reason").casefold(),
        word=_one(found, ""),
        since=_since(found, now),
    )


def _terms(text: str) -> Iterator[Term]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        start, qualifier = at, ""
        if (named := _NAME.match(text, at)) is not None:
            qualifier, at = named[0][:-1].lower(), named.end()
            if qualifier not in QUALIFIERS:
                raise FilterError(_unknown(qualifier), start)
        value, at = _quoted(text, at) if text[at : at + 1] == '"' else _bare(text, at)
        if not value:
            raise FilterError(f"`{qualifier}:` has no value: write {qualifier}:VALUE", start)
        yield Term(qualifier, value, start)


def _bare(text: str, at: int) -> tuple[str, int]:
    end = at
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[at:end], end


def _quoted(text: str, at: int) -> tuple[str, int]:
    """Return the text between quotes, in which a backslash stands before a quote or a backslash."""
    value, end = "", at + 1
    while end < len(text) and text[end] != '"':
        end += text[end] == "\\" and text[end + 1 : end + 2] in ('"', "\\")
        value += text[end]
        end += 1
    if end >= len(text):
        raise FilterError('a quote is not closed: write "..." with one at the end', at)
    if end + 1 < len(text) and not text[end + 1].isspace():
        raise FilterError("write a blank after a closing quote", end + 1)
    return value, end + 1


def _all(
    found: dict[str, list[Term]], name: str, read: Callable[[Term], str] = lambda term: term.value
) -> frozenset[str]:
    return frozenset(read(term) for term in found.get(name, ()))


def _one(found: dict[str, list[Term]], name: str) -> str:
    return found[name][0].value if name in found else ""


def _outcome(term: Term) -> str:
    if term.value not in OUTCOMES:
        raise FilterError(f"`{term.value}` is no outcome: {', '.join(OUTCOMES)}", term.at)
    return term.value


def _email(found: dict[str, list[Term]]) -> str:
    if "email" not in found:
        return ""
    [term] = found["email"]
    if (address := normal(term.value)) is None:
        raise FilterError(f"`{term.value}` is no email address", term.at)
    return address


def _since(found: dict[str, list[Term]], now: datetime) -> datetime | None:
    if "since" not in found:
        return None
    [term] = found["since"]
    if (span := _SPAN.fullmatch(term.value)) is not None:
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        at = datetime.fromisoformat(term.value)
        return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        message = f"`{term.value}` is no time: write 30m, 12h, 1d or 2026-11-30T14:00"
        raise FilterError(message, term.at) from None


def _twice(term: Term) -> str:
    if term.qualifier:
        return f"`{term.qualifier}:` may be given once"
    return 'only one word may stand without a qualifier: write event:"Order Completed" for a name with blanks'


def _unknown(qualifier: str) -> str:
    return (
        f"`{qualifier}:` is no qualifier: {', '.join(QUALIFIERS)}; put a text with a colon into "
        f'quotes: "{qualifier}:..."'
    )
