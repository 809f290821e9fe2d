"""What expressions may name."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from adapter.files.problems import did_you_mean
from adapter.rules.language.errors import ExpressionError
from adapter.rules.language.nodes import Kind, Node, Path, Root

#: How a root is written, and which root it is.
ROOTS: dict[str, Root] = {
    "attributes": "attributes",
    "user": "traits",
    "traits": "traits",
    "context": "context",
}
_EVENT: dict[str, Kind] = {"name": "text", "occurred_at": "timestamp"}
_SPECIAL = ("attributes", "user", "traits", "context", "event", "now", "history")


class Names(Struct, frozen=True, kw_only=True):
    """The declared names of each root, None for anything; likewise the events that history may ask for.

    `types` gives the kind of declared values by path: `attributes.cart_value`, `traits.tier`, `context.x`.
    `definitions` are conditions by name; a bare name that is a definition is that definition.
    """

    attributes: frozenset[str] | None = None
    traits: frozenset[str] | None = None
    context: frozenset[str] | None = None
    events: frozenset[str] | None = None
    types: Mapping[str, Kind] = {}
    definitions: Mapping[str, Node] = {}

    def declared(self, root: Root) -> frozenset[str] | None:
        """Return the names of a root, None when any name may stand there."""
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
        raise ExpressionError(
            f"unknown name `{name}`{where.get(root, '')}", did_you_mean(name, known), offset
        )

    def check_event(self, name: str, offset: int) -> None:
        """Raise ExpressionError when no mapping produces that event."""
        if self.events is not None and name not in self.events:
            raise ExpressionError(f"unknown event `{name}`", did_you_mean(name, self.events), offset)

    def kind(self, path: Path) -> Kind:
        """Return the declared kind of a path; a bare name has one only when all its places agree."""
        if path.root == "now":
            return "timestamp"
        if path.root == "event":
            return _EVENT[path.fields[0]]
        anywhere: tuple[Root, ...] = ("attributes", "traits", "context")
        roots = (path.root,) if path.root else anywhere
        places = [root for root in roots if path.root or path.fields[0] in (self.declared(root) or ())]
        kinds = {self.types.get(".".join((root, *path.fields)), "any") for root in places}
        return kinds.pop() if len(kinds) == 1 and None not in map(self.declared, roots) else "any"


def event_field(name: str, offset: int) -> Path:
    """Return `event.name` or `event.occurred_at`."""
    if name not in _EVENT:
        remedy = did_you_mean(name, _EVENT) + f"; an attribute of the event is `attributes.{name}`"
        raise ExpressionError(f"unknown name `event.{name}`", remedy, offset)
    return Path("event", (name,))
