"""The environment of decisions: the clock, random codes, ids, and the jitter of retries."""

from __future__ import annotations

import random
import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

from adapter.rules.engine.codes import ALPHABET

#: Random bytes to code characters; bytes at the end are dropped, because they would bias the characters.
_FAIR = 256 - 256 % len(ALPHABET)
_CHARACTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_UNFAIR = bytes(range(_FAIR, 256))


def draw(n: int) -> str:
    """Return n random characters of a code, uniformly distributed."""
    drawn = b""
    while len(drawn) < n:
        drawn += secrets.token_bytes(n + 4).translate(_CHARACTERS, _UNFAIR)
    return drawn[:n].decode()


class Environment(Struct, frozen=True):
    """`clock()` returns aware datetimes, `draw(n)` n code characters, `jitter()` a number from 0 to 1.

    `new_token()` returns a secret that nobody can guess.
    """

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    draw: Callable[[int], str] = draw
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex
    jitter: Callable[[], float] = random.random
    new_token: Callable[[], str] = secrets.token_urlsafe
