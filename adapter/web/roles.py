"""What tokens of the API may do.

A route names the roles of which a caller needs one. `operate` includes `read`, and `admin` every other role.
"""

from __future__ import annotations

from collections.abc import Collection
from hmac import compare_digest
from typing import Final

from adapter.errors import Forbidden
from adapter.settings.values import Api, Role
from adapter.sources.headers import require_credential

#: The roles that a token of each role has.
INCLUDED: Final[dict[Role, tuple[Role, ...]]] = {
    "checkout": ("checkout",),
    "read": ("read",),
    "evaluate": ("evaluate",),
    "operate": ("operate", "read"),
    "admin": ("admin", "operate", "read", "evaluate", "checkout"),
}


def require_role(token: str | None, api: Api, roles: Collection[Role]) -> None:
    """Raise Unauthorised for a token that is not known, Forbidden for one that has none of `roles`."""
    require_credential(
        token,
        api.all_tokens,
        missing="no token: send `Authorization: Bearer TOKEN`",
        wrong="the token is not one of `api.tokens`, nor one of another role",
    )
    if _roles(token or "", api).isdisjoint(roles):
        needed = " or ".join(f"`{role}`" for role in roles)
        raise Forbidden(f"this token has another role: send one of the role {needed}, or one of `api.tokens`")


def _roles(token: str, api: Api) -> set[Role]:
    """Return the roles of a token; all tokens are compared, each in constant time."""
    presented = token.encode("utf-8", "surrogateescape")
    found: set[Role] = set()
    for role, tokens in api.by_role.items():
        matches = [compare_digest(presented, each.encode()) for each in tokens]
        if any(matches):
            found.update(INCLUDED[role])
    return found
