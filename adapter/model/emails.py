"""Email addresses: a normal form, and how they are found and removed anywhere in a text.

Addresses compare by their normal form: trimmed, in any case, in any Unicode form, with a domain in letters
or in its ASCII form (`xn--...`). A text may hold them percent-encoded, several times over, or escaped as JSON
and HTML do.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from unicodedata import normalize
from urllib.parse import unquote

import msgspec

#: Replaces a removed address.
ERASED = "[erased]"
#: Characters of an address before its `@`, as RFC 5321 bounds them, and of the text that is searched there.
_LOCAL, _ALL_BEFORE = 64, 256
#: Longer text is not an address.
_LONGEST = 512
_BEFORE = re.compile(r"""[^\s\x00-\x1f@"<>()\[\],;:\\]{1,256}""")
_AFTER = re.compile(r"[\w.\u3002-]{1,255}")
#: The `@` of an address. It begins with the character itself, which is searched for much faster.
_AT = re.compile(r"""@(?<=[^\s\x00-\x1f@"<>()\[\],;:\\]@)(?=\w)""")
#: An address in its plainest form: its normal form is the same in lower case.
_PLAIN = re.compile(r"[\w.+-]{1,64}@(?!\S*--)\w(?:[\w.-]{0,253}\w)?", re.ASCII)
#: Allowed in a local part, but more often found before one, as in a URL.
_STARTS = re.compile(r"[/?&=#!$%*^~'{}|`]+")
#: A run of backslashes matches only from its beginning.
_ESCAPED = re.compile(r"(?<!\\)\\++u([0-9a-fA-F]{4})")
_ENTITY = re.compile(r"&#(?:([0-9]{1,7})|[xX]([0-9a-fA-F]{1,6}));?|&commat;")
#: UTF-8 of the wide forms of `@`.
_WIDE = re.compile(rb"\xef\xbc\xa0|\xef\xb9\xab")
_CODED = re.compile(r"%(25)*(40|ef%(25)*b[c9]%(25)*a[0b])", re.IGNORECASE)
_CODED_BYTES = re.compile(_CODED.pattern.encode(), re.IGNORECASE)
#: Layers of percent-encoding that are decoded.
_LAYERS = 3
#: A text in JSON.
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
#: Texts between separators.
_RUN = re.compile(r"""[^\s"'<>()\[\]{},;\\|`]+""")
_PART = re.compile(r"[^/?&=#:]+")


def may_hold(document: bytes) -> bool:
    """Return whether a document may contain an address; cheap where it contains none."""
    return (
        b"@" in document
        or (b"%" in document and _CODED_BYTES.search(document) is not None)
        or (not document.isascii() and _WIDE.search(document) is not None)
        or (b"\\" in document and b"u0040" in document)
        or (b"&" in document and (b"&#" in document or b"&commat" in document))
    )


def normal(text: str) -> str | None:
    """Return the normal form of an address, None where the text is not an address."""
    return _normal(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _normal(text: str) -> str | None:
    plain = text if text.isascii() else normalize("NFKC", text)
    local, at, domain = plain.strip().removeprefix("mailto:").rpartition("@")
    domain = _host(domain)
    if not at or not local or not domain or (both := local + domain).split() != [both]:
        return None
    return f"{local.lower() if local.isascii() else normalize('NFKC', local.casefold())}@{domain}"


def found_in(text: str) -> set[str]:
    """Return the normal forms of all addresses in a text; false positives occur, as `logo@2x.png`."""
    return set(each_in(text))


def each_in(text: str) -> Iterator[str]:
    """Yield addresses as `found_in` returns them, each as often as it occurs."""
    for plain in spellings(text):
        yield from _found(plain)


def spellings(text: str) -> Iterator[str]:
    """Yield a text in Unicode's compatibility form, then with one escaping after another decoded."""
    plain = text if text.isascii() else normalize("NFKC", text)
    yield plain
    # One character is searched for much faster than two.
    if "\\" in plain and ("\\u" in plain or "\\/" in plain):
        yield (plain := _unescaped(plain))
    if "&" in plain and ("&#" in plain or "&commat" in plain):
        yield (plain := _ENTITY.sub(_character, plain))
    for _ in range(_LAYERS):
        if "%" not in plain or _CODED.search(plain) is None:
            return
        yield (plain := normalize("NFKC", unquote(plain)))


def _unescaped(text: str) -> str:
    """Return a text with its JSON escapes decoded, surrogate pairs joined."""
    plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text.replace("\\/", "/"))
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(entity: re.Match[str]) -> str:
    """Return the character of an HTML entity."""
    number = int(entity[1]) if entity[1] else int(entity[2] or "40", 16)
    return chr(number) if number <= sys.maxunicode else entity[0]


def without(text: str, address: str) -> str:
    """Return a text without any spelling of an address; the text around it is kept as far as possible."""
    return cleaned(text, lambda part: address in found_in(part))


def cleaned(text: str, held: Callable[[str], bool]) -> str:
    """Return a text without the parts in which something is `held`, the smallest possible."""
    if not held(text):
        return text
    kept = _RUN.sub(lambda run: _PART.sub(lambda part: _removed(part[0], held), run[0]), text)
    if held(kept):
        kept = _RUN.sub(lambda run: _removed(run[0], held), text)
    return ERASED if held(kept) else kept


def without_in(document: bytes, address: str) -> bytes:
    """Return a JSON document with an address removed from its strings and keys; the rest is unchanged."""
    if not may_hold(document):
        return document
    text = document.decode("utf-8", "replace")
    return _TEXT.sub(lambda literal: _without_literal(literal[0], address), text).encode()


def _without_literal(literal: str, address: str) -> str:
    if not may_hold(literal.encode()):
        return literal
    said = msgspec.json.decode(literal)
    kept = without(said, address)
    return literal if kept == said else msgspec.json.encode(kept).decode()


def _removed(part: str, held: Callable[[str], bool]) -> str:
    return ERASED if held(part) else part


def _found(text: str) -> Iterator[str]:
    for at in _AT.finditer(text):
        start = at.start()
        # Most are a whole JSON string.
        opened = text.rfind('"', max(0, start - _LOCAL - 1), start)
        closed = text.find('"', start, start + _LONGEST)
        if 0 <= opened < closed and _PLAIN.fullmatch(text, opened + 1, closed):
            yield text[opened + 1 : closed].lower()
            continue
        before = _BEFORE.match(text[max(0, start - _ALL_BEFORE) : start][::-1])
        after = _AFTER.match(text, at.end())
        if before is None or after is None:
            continue
        local, domain = before[0][::-1], after[0]
        for begin in (0, *(start.end() for start in _STARTS.finditer(local))):
            if 0 < len(local) - begin <= _LOCAL:
                yield from _known(local[begin:], domain)


@lru_cache(maxsize=4096)
def _known(local: str, domain: str) -> tuple[str, ...]:
    """Return the addresses that two parts may be, also with a percent-encoded local part."""
    locals_ = (local, unquote(local)) if "%" in local else (local,)
    return tuple(address for each in locals_ if (address := normal(f"{each}@{domain}")) is not None)


@lru_cache(maxsize=4096)
def _host(domain: str) -> str:
    """Return a domain in letters, in lower case; not case-folded, which would turn `ß` into `ss`."""
    labels = domain.replace("\u3002", ".").strip(".-").lower().split(".")
    return ".".join(map(_label, labels))


def _label(label: str) -> str:
    if not label.startswith("xn--"):
        return label if label.isascii() else normalize("NFKC", label)
    try:
        return normalize("NFKC", label[4:].encode("ascii").decode("punycode")).lower() or label
    except (UnicodeError, ValueError):
        return label
