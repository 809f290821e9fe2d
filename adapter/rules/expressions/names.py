"""What expressions may name."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from adapter.files.problems import did_you_mean
from adapter.model.event_names import EventNames
from adapter.model.placeholders import PlaceholderTexts
from adapter.rules.expressions import slips
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.typed_tree import Kind, Node, Path, Root

#: How a root is written, and which root it is.
ROOTS: dict[str, Root] = {
    "attributes": "attributes",
    "user": "traits",
    "traits": "traits",
    "context": "context",
}
_EVENT: dict[str, Kind] = {"name": "text", "occurred_at": "timestamp"}
#: How alike two names are (difflib's ratio) when one is taken for a slip of the other.
_SLIP = 0.8
#: CEL's names of types, which a bare name in an expression would mean (cel-spec, "Values").
CEL_TYPES = frozenset(
    ("bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint")
)
#: What figures of the past are asked of: without the event being decided, and with it.
HISTORY = ("history", "history_with_event")
_PLACEHOLDERS = PlaceholderTexts()
#: Names that mean the same in every expression.
SPECIAL = frozenset((*ROOTS, "event", "now", *HISTORY))


class Names(Struct, frozen=True, kw_only=True):
    """The declared names of each root, None for anything; likewise the events that history may ask for.

    `types` gives the kind of declared values by path: `attributes.cart_value`, `traits.tier`, `context.x`;
    those of `dates` are text that is a day alone, without its time.
    `definitions` are conditions by name; a bare name that is a definition is that definition. `by_event`
    gives the attributes of each event with their kinds, `elements` the kinds of the elements of those that
    are lists, and `members` those of their objects, of which more may exist; `of` narrows to those of a
    rule's trigger. `where` says in remedies where names are declared. `spelled` are the names that mappings
    give to events in any spelling. With `doubts`, what is not declared but no slip of the pen either is put
    there instead of being refused. `destinations` are those that rules may push to, None for any.
    `placeholders` has the texts that identify no person.
    """

    attributes: frozenset[str] | None = None
    traits: frozenset[str] | None = None
    context: frozenset[str] | None = None
    events: frozenset[str] | None = None
    types: Mapping[str, Kind] = {}
    dates: frozenset[str] = frozenset()
    definitions: Mapping[str, Node] = {}
    by_event: Mapping[str, Mapping[str, Kind]] = {}
    elements: Mapping[str, Mapping[str, Kind]] = {}
    members: Mapping[str, Mapping[str, Mapping[str, Kind]]] = {}
    where: str = ""
    spelled: EventNames = EventNames()
    doubts: list[ExpressionError] | None = None
    destinations: frozenset[str] | None = None
    placeholders: Container[object] = _PLACEHOLDERS

    def of(self, events: Iterable[str]) -> Names:
        """Return what a condition may name that these events trigger: anything, when one is not declared."""
        if self.events is None:
            return self
        listed = tuple(events)
        declared = [self.by_event[event] for event in listed if event in self.by_event]
        if len(declared) < len(listed):
            return replace(self, attributes=None)
        names = frozenset(name for kinds in declared for name in kinds)
        kinds = {name: {each[name] for each in declared if name in each} for name in names}
        others = {path: kind for path, kind in self.types.items() if not path.startswith("attributes.")}
        agreed = {f"attributes.{name}": each.pop() for name, each in kinds.items() if len(each) == 1}
        return replace(self, attributes=names, types={**others, **agreed})

    def declared(self, root: Root) -> frozenset[str] | None:
        """Return the names of a root, None when any name is allowed."""
        if root == "":
            known = (self.attributes, self.traits, self.context)
            return None if None in known else frozenset().union(*(names for names in known if names))
        return {"attributes": self.attributes, "traits": self.traits, "context": self.context}.get(root)

    def check(self, root: Root, name: str, offset: int) -> None:
        """Raise ExpressionError when the name is not declared."""
        declared = self.declared(root)
        if declared is None or name in declared:
            return
        known = {*declared, *self.definitions, "now"} if root == "" else declared
        where = {
            "": "",
            "attributes": " of the event",
            "traits": " of the customer",
            "context": " of the context",
        }
        self._refuse(f"unknown name `{name}`{where.get(root, '')}", name, known, offset)

    def check_word(self, name: str, offset: int) -> None:
        """Raise ExpressionError when a bare name is not declared where text in quotes may be meant."""
        declared = self.declared("")
        if declared is None or name in declared:
            return
        near = get_close_matches(name, declared, n=1, cutoff=_SLIP)
        if name in slips.NAMES:
            raise ExpressionError(f"unknown name `{name}`", slips.NAMES[name], offset)
        remedies = [f'write `"{name}"` for text', *(f"`{meant}` for that name" for meant in near)]
        remedies += [f"declare it in {self.where}"] if self.where else []
        remedy = " or ".join(filter(None, (", ".join(remedies[:-1]), remedies[-1])))
        raise ExpressionError(f"unknown name `{name}`", remedy, offset)

    def check_event(self, name: str, offset: int) -> None:
        """Raise ExpressionError when no mapping produces that event."""
        if self.events is not None and name not in self.events:
            self._refuse(f"unknown event `{name}`", name, self.events, offset)

    def check_attribute(self, event: str, name: str, offset: int) -> None:
        """Raise ExpressionError when the event is declared, but not with that attribute."""
        known = self.by_event.get(event)
        if known is not None and name not in known:
            self._refuse(f"unknown attribute `{name}` of `{event}`", name, known, offset)

    def member(self, event: str, attribute: str, name: str, offset: int) -> Kind:
        """Return the declared kind of a member of an object, or of a list's objects.

        Raises ExpressionError for a name that is nearly one that is declared.
        """
        declared = self.members.get(event, {}).get(attribute, {})
        if name not in declared and get_close_matches(name, declared, n=1, cutoff=_SLIP):
            message = f"unknown member `{name}` of `{attribute}` of `{event}`"
            raise ExpressionError(message, did_you_mean(name, declared), offset)
        return declared.get(name, "any")

    def each(self, event: str, attribute: str) -> Kind:
        """Return the declared kind of an event's attribute, of a list that of its elements."""
        kind = self.by_event.get(event, {}).get(attribute, "any")
        return self.elements.get(event, {}).get(attribute, "any") if kind == "list" else kind

    def _refuse(self, message: str, name: str, known: Iterable[str], offset: int) -> None:
        near, remedy = _nearest(name, frozenset(known))
        if name in slips.NAMES:
            raise ExpressionError(message, slips.NAMES[name], offset)
        if self.where:
            remedy = f"{remedy.rstrip('?')}, or declare it in {self.where}".removeprefix(", or ")
        error = ExpressionError(message, remedy, offset)
        if near:
            raise error
        self.doubt(error)

    def doubt(self, error: ExpressionError) -> None:
        """Put a mistake to the doubts; raise it where there are none."""
        if self.doubts is None:
            raise error
        self.doubts.append(error)

    def kind(self, path: Path) -> Kind:
        """Return the declared kind of a path; a bare name has one only when all its places agree."""
        if path.root == "now":
            return "timestamp"
        if path.root == "event":
            return _EVENT[path.fields[0]]
        kinds = {self.types.get(place, "any") for place in self._places(path)}
        return kinds.pop() if len(kinds) == 1 else "any"

    def is_date(self, path: Path) -> bool:
        """Tell whether a path is declared as a date; a bare name is one when all its places agree."""
        places = self._places(path)
        return bool(places) and self.dates.issuperset(places)

    def _places(self, path: Path) -> list[str]:
        """Return where a declared path may lead; none where a root of it takes any name."""
        anywhere: tuple[Root, ...] = ("attributes", "traits", "context")
        roots = (path.root,) if path.root else anywhere
        if None in map(self.declared, roots):
            return []
        found = [root for root in roots if path.root or path.fields[0] in (self.declared(root) or ())]
        return [".".join((root, *path.fields)) for root in found]


@lru_cache(maxsize=4096)
def _nearest(name: str, known: frozenset[str]) -> tuple[bool, str]:
    """Return whether the name is a slip of a known one, and what to write; thousands of rules share names."""
    return bool(get_close_matches(name, known, n=1, cutoff=_SLIP)), did_you_mean(name, known)


def event_field(name: str, offset: int) -> Path:
    """Return `event.name` or `event.occurred_at`."""
    if name not in _EVENT:
        remedy = did_you_mean(name, _EVENT) + f"; an attribute of the event is `attributes.{name}`"
        raise ExpressionError(f"unknown name `event.{name}`", remedy, offset)
    return Path("event", (name,))
