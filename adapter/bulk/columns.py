"""The values of a row by target: of cells, which are text, and of JSON, which has types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from adapter.bulk.cells import BadCell, CellOptions, json_value, listed, value
from adapter.bulk.entries import BadRow
from adapter.bulk.headers import Kind, Target, targets, unguarded
from adapter.bulk.records import Record
from adapter.datamodel.declarations import Declared
from adapter.errors import InvalidImport

#: Roots whose members the data model may declare.
_FREE = frozenset(("traits", "attributes"))
#: Nothing in a cell: what is stored stays, or goes with `--empty clear`.
EMPTY: Any = object()


class Column(Struct, frozen=True):
    """One column of a CSV file that is taken: its place, name, target and declaration."""

    place: int
    name: str
    target: Target
    declared: Declared | None


#: Place, target, name, whether cells are taken as they are, whether as traits are, and the declaration.
_Step = tuple[int, Target, str, bool, bool, Declared | None]


def _step(column: Column) -> _Step:
    target = column.target
    single = not target.is_json and target.index is None
    free = single and len(target.path) > 1 and target.path[0] in _FREE
    return column.place, target, column.name, single and not free, free, column.declared


class Columns:
    """The columns of a file of one kind; for JSON those of each set of keys, found once.

    `declared` has the declarations of traits or attributes by name, below the root of that name.
    """

    def __init__(
        self,
        kind: Kind,
        cells: CellOptions,
        declared: Mapping[str, Declared],
        *,
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self._cells = cells
        self._declared = declared
        self._renamed = renamed
        self._columns: tuple[Column, ...] = ()
        self._steps: list[_Step] = []
        self._by_keys: dict[tuple[str, ...], list[Target | None]] = {}

    def take_header(self, header: Sequence[str]) -> None:
        """Find the targets of a header; raises InvalidImport."""
        found = targets(header, self.kind, self._renamed)
        self._columns = tuple(
            Column(place, header[place], target, self._declared_for(target))
            for place, target in enumerate(found)
            if target is not None
        )
        self._steps = [_step(column) for column in self._columns]

    def described(self) -> list[tuple[str, str]]:
        """Return each column's name with the target that it goes to."""
        return [(column.name, column.target.shown) for column in self._columns]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the header."""
        return self._columns

    def values(self, record: Record) -> Iterable[tuple[Target, Any, str]]:
        """Return target, value and column name of all that a row says; raises BadRow.

        The value of an empty cell is EMPTY.
        """
        if type(record.value) is list:
            return self._of_cells(record.value)
        return self._of_json(record.value)

    def _of_cells(self, cells: Sequence[str]) -> list[tuple[Target, Any, str]]:
        """Return the values of cells. Most are text that is taken as it is, which must be fast."""
        found: list[tuple[Target, Any, str]] = []
        for place, target, name, is_text, is_free, declared in self._steps:
            cell = cells[place]
            if not cell:
                found.append((target, EMPTY, name))
                continue
            if cell[0] == "'":
                cell = unguarded(cell)
            if is_text or (is_free and declared is None and cell[4:5] != "-" and cell != "null"):
                found.append((target, cell, name))
                continue
            each = self._value(target, cell, declared, name)
            if each is not None or target.is_json:
                found.append((target, each, name))
        return found

    def _value(self, target: Target, cell: str, declared: Declared | None, name: str) -> Any:
        try:
            if target.is_json:
                return json_value(cell, name)
            if target.index is not None:
                return listed(cell)
            return value(cell, declared, self._cells, name)
        except BadCell as error:
            raise BadRow(str(error), name) from None

    def _of_json(self, values: Mapping[str, Any]) -> Iterator[tuple[Target, Any, str]]:
        keys = tuple(values)
        found = self._by_keys.get(keys)
        if found is None:
            try:
                found = targets(keys, self.kind, self._renamed)
            except InvalidImport as error:
                raise BadRow(error.message) from None
            if len(self._by_keys) < 10_000:
                self._by_keys[keys] = found
        for target, (key, each) in zip(found, values.items(), strict=True):
            if target is not None and each is not None:
                if target.is_json and type(each) is str:
                    try:
                        yield target, json_value(each, key), key
                    except BadCell as error:
                        raise BadRow(str(error), key) from None
                else:
                    yield target, each, key

    def _declared_for(self, target: Target) -> Declared | None:
        if len(target.path) < 2 or target.path[0] not in _FREE:
            return None
        found = self._declared.get(target.path[1])
        for name in target.path[2:]:
            found = None if found is None else found.of.get(name)
        return found


def put(into: dict[str, Any], path: Sequence[str], found: Any, index: int | None) -> None:
    """Put a value at a path of nested objects; several columns of one list give its members in order."""
    for name in path[:-1]:
        inner = into.get(name)
        if not isinstance(inner, dict):
            inner = into[name] = {}
        into = inner
    name = path[-1]
    if index is not None and isinstance(found, list) and isinstance(into.get(name), list):
        into[name] += found
    else:
        into[name] = found


def as_object(found: Any, what: str) -> dict[str, Any]:
    """Return an object; raises BadRow where the value is none."""
    if not isinstance(found, dict):
        raise BadRow(f"{what} is not an object", what)
    return found
