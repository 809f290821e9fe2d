"""Keys of an action that say which code its discounts get: made, the same for everybody, or out of a pool."""

from __future__ import annotations

import re

from msgspec import Struct

from adapter.files.schemas import TEXT, Schema, said
from adapter.rules.blocks.block import Block

_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,32}")
_PATTERN = re.compile(r"[A-Za-z0-9._#-]{1,64}")
_SHARED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_POOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_CHARACTERS = "use letters, digits, `-`, `_` and `.`"
KEYS: dict[str, Schema] = {
    "code_prefix": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,32}$"},
    "code_pattern": said(TEXT, "The code, a random sign for each of six or more `#`."),
    "code": said({"type": "string", "pattern": f"^{_SHARED.pattern}$"}, "One code for everybody."),
    "code_pool": said({"type": "string", "pattern": f"^{_POOL.pattern}$"}, "The pool of uploaded codes."),
}


class CodeKeys(Struct, frozen=True, kw_only=True):
    """How codes are made; at most one of them is given."""

    code_prefix: str
    code_pattern: str | None
    code: str | None
    code_pool: str | None


#: Of an action that issues nothing.
NO_CODES = CodeKeys(code_prefix="", code_pattern=None, code=None, code_pool=None)


def read(block: Block) -> CodeKeys:
    """Return what an action says of its code."""
    prefix, pattern = block.text("code_prefix"), block.text("code_pattern")
    if prefix is not None and not _PREFIX.fullmatch(prefix):
        block.refuse(("code_prefix",), f"`{prefix}` is not allowed in a code",
                     "use up to 32 letters, digits, `-`, `_` and `.`")  # fmt: skip
    if pattern is not None and (not _PATTERN.fullmatch(pattern) or pattern.count("#") < 6):
        block.refuse(("code_pattern",), f"`{pattern}` is too easy to guess",
                     "use letters, digits, `-`, `_`, `.` and six `#` or more: HV15-####-####")  # fmt: skip
    shared, pool = block.text("code"), block.text("code_pool")
    if shared is not None and not _SHARED.fullmatch(shared):
        block.refuse(("code",), f"`{shared[:70]}` cannot be a code", f"{_CHARACTERS}, 64 at most")
    if pool is not None and not _POOL.fullmatch(pool):
        block.refuse(("code_pool",), f"`{pool[:100]}` cannot name a pool", f"{_CHARACTERS}, 100 at most")
    given = [key for key in KEYS if key in block.values]
    if len(given) > 1:
        named = " and ".join(f"`{key}`" for key in given)
        block.refuse((given[-1],), f"{named} shape the code", f"keep one of the {len(given)}")
    return CodeKeys(code_prefix=prefix or "", code_pattern=pattern, code=shared, code_pool=pool)
