"""What the rows of a file become: entries with operations, or the reason why one is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct

from adapter.bulk.cells import BadCell, CellOptions, identifier
from adapter.bulk.records import Record
from adapter.datamodel.declarations import DataModel
from adapter.model.customers import Customer
from adapter.model.ids import invalid_id_reason
from adapter.model.operations import Operation

#: Ids of which nothing but a placeholder can be wrong; most are.
_ORDINARY = re.compile(r"[A-Za-z0-9_-]{1,100}")


class BadRow(Exception):
    """A row that cannot be taken: the sentence, and the column at fault."""

    def __init__(self, reason: str, column: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column


class Entry(Struct):
    """One row: its operations and dedupe key, empty where the content is to be the key.

    `at` is the time of its facts, None for that of the import. `stored` is a customer as an export wrote it,
    with the times of all facts. `identity` is that of an exported event. By `content` events without an id
    are distinguished.
    """

    record: Record
    source_id: str = ""
    operations: tuple[Operation, ...] = ()
    key: str = ""
    at: datetime | None = None
    stored: Customer | None = None
    identity: bytes = b""
    content: bytes = b""


class Reading(Struct, frozen=True, kw_only=True):
    """What reading rows depends on, besides the rows.

    `now` is that of the import. `is_placeholder` tells texts that stand where an id is not known. `as_of` is
    the time of the file, None for now.
    """

    cells: CellOptions = CellOptions()
    now: datetime
    is_placeholder: Callable[[str], bool]
    model: DataModel | None = None
    as_of: datetime | None = None


def checked_id(text: Any, what: str, is_placeholder: Callable[[str], bool]) -> str:
    """Return the id of a person from a cell or a JSON value; raises BadRow."""
    if type(text) is str and _ORDINARY.fullmatch(text) and not is_placeholder(text):
        return text
    if text is None:
        raise BadRow(f"{what} is empty", what)
    if isinstance(text, bool) or not isinstance(text, (str, int)):
        raise BadRow(f"{what} is not text", what)
    try:
        found = identifier(str(text), what)
    except BadCell as error:
        raise BadRow(str(error), what) from None
    if is_placeholder(found):
        raise BadRow(f"`{found}` is a placeholder, not a customer", what)
    wrong = invalid_id_reason(found)
    if wrong is not None:
        raise BadRow(wrong, what)
    return found
