"""The tokens that may sign in: those of the API that may read, and those of `console.tokens`."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from hmac import compare_digest
from typing import Final, Literal, get_args

from msgspec import Struct

from adapter.settings.values import CONSOLE_TOKEN, Role, Settings

#: The roles of visitors; the others are for programs.
VisitorRole = Literal["read", "operate", "admin"]
ROLES: Final[tuple[VisitorRole, ...]] = get_args(VisitorRole)


class Account(Struct, frozen=True):
    """A token that may sign in, by its SHA-256. Tokens have 256 random bits: their hash needs no salt."""

    token: bytes
    name: str
    role: Role


def digest(token: str) -> bytes:
    """Return the SHA-256 of a token."""
    return sha256(token.encode("utf-8", "surrogateescape")).digest()


def entry(name: str, role: VisitorRole, token: str) -> str:
    """Return the entry of `console.tokens` for a token."""
    return f"{name}:{role}:{digest(token).hex()}"


def accounts(settings: Settings) -> Iterator[Account]:
    """Yield the accounts of the settings. A token of the API has no name: its digest stands for one."""
    for given in settings.console.tokens:
        if found := CONSOLE_TOKEN.fullmatch(given):
            yield Account(bytes.fromhex(found[3]), found[1], _role(found[2]))
    for role, tokens in settings.api.by_role.items():
        for token in tokens if role in ROLES else ():
            hashed = digest(token)
            yield Account(hashed, f"{role} token {hashed.hex()[:8]}", role)


def account_of(token: bytes, settings: Settings) -> Account | None:
    """Return the account of a token's digest; all are compared, each in constant time."""
    matching = [each for each in accounts(settings) if compare_digest(each.token, token)]
    return matching[0] if matching else None


def _role(text: str) -> VisitorRole:
    return next(role for role in ROLES if role == text)
