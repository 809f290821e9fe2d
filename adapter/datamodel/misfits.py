"""What a misfit is about, for those who count them: the declared name, which is one of few."""

from __future__ import annotations

import re

_SUBJECT = re.compile(r"(?:the \w+ )?((?:`[^`]*`(?: of )?)+) is (not in the data model)?")
_NAME = re.compile(r"`([^`]*)`")


def subject(misfit: str, event: str = "") -> str:
    """Return the trait, attribute or member that a misfit is about: `total`, `items.quantity`, `timestamp`.

    `event` is the event whose attribute it may be. The result is empty for a name that is not declared, of
    which senders may make up any number.
    """
    found = _SUBJECT.match(misfit)
    if found is None or found[2]:
        return ""
    names = _NAME.findall(found[1])
    if len(names) > 1 and names[-1] == event:
        names.pop()
    return ".".join(reversed(names))
