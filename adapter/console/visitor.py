"""Who looks at a page."""

from __future__ import annotations

from msgspec import Struct

from adapter.settings.values import Role
from adapter.web.roles import INCLUDED


class Visitor(Struct, frozen=True):
    """A visitor: the name for the audit log, the role, and the token that forms must send back.

    `session` is the digest of the session; empty where no secret is set, and this machine alone may visit.
    """

    name: str
    role: Role
    csrf: str
    session: bytes = b""

    def can(self, role: Role) -> bool:
        """Return whether the visitor may do what asks for a role."""
        return role in INCLUDED[self.role]
