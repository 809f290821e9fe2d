"""Filters that write text for HTML, URLs and JSON, and those that hash."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable
from itertools import groupby
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from adapter.mapping.engine import javascript
from adapter.mapping.engine.values import UNDEFINED, is_truthy
from adapter.mapping.liquid.context import Context, Failed
from adapter.mapping.liquid.values import Literal, shown

OF_JSON = ("json", "jsonify", "inspect")
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
_UNESCAPED = {escaped: sign for sign, escaped in _ESCAPED.items()}
_TO_ESCAPE = re.compile("[&<>\"']")
_TO_UNESCAPE = re.compile("&(?:amp|lt|gt|#34|#39);")
_TAGS = {"<script": "</script>", "<style": "</style>", "<!--": "-->", "<": ">"}
_NO_HEX = re.compile(r"%(?![0-9a-fA-F]{2})")
_NO_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_ACCENTS = str.maketrans({
    **dict.fromkeys("àáâãäå", "a"), **dict.fromkeys("èéêë", "e"), **dict.fromkeys("ìíîï", "i"),
    **dict.fromkeys("òóôõöø", "o"), **dict.fromkeys("ùúûü", "u"), **dict.fromkeys("ýÿ", "y"),
    "æ": "ae", "ç": "c", "ð": "d", "ñ": "n", "ß": "ss", "œ": "oe", "þ": "th", "ẞ": "SS", "Œ": "OE", "Þ": "TH",
})  # fmt: skip
#: Categories of Unicode that stay in a slug.
_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd"})
_SLUG_SIGNS = {"default": "", "latin": "", "pretty": "._~!$&'()+,;=@"}


def _escape(context: Context, value: Any) -> str:
    return _TO_ESCAPE.sub(lambda found: _ESCAPED[found[0]], shown(value))


def _escape_once(context: Context, value: Any) -> str:
    return _escape(context, _TO_UNESCAPE.sub(lambda found: _UNESCAPED[found[0]], shown(value)))


def _strip_html(context: Context, value: Any) -> str:
    text, kept, at, blocks = shown(value), [], 0, dict(_TAGS)
    while (opening := text.find("<", at)) >= 0:
        kept.append(text[at:opening])
        at = opening
        for start, closing in list(blocks.items()):
            if text.startswith(start, opening):
                if (end := text.find(closing, opening + len(start))) >= 0:
                    at = end + len(closing)
                    break
                del blocks[start]
        if at == opening:
            break
    return "".join(kept) + text[at:]


def _url_encode(context: Context, value: Any) -> str:
    return _quoted(value, "-_.!~*'()").replace("%20", "+")


def _cgi_escape(context: Context, value: Any) -> str:
    return _quoted(value, "-_.~").replace("%20", "+")


def _uri_escape(context: Context, value: Any) -> str:
    return _quoted(value, "-_.!~*'();/?:@&=+$,#").replace("%5B", "[").replace("%5D", "]")


def _quoted(value: Any, safe: str) -> str:
    try:
        return quote(shown(value), safe=safe)
    except UnicodeEncodeError:
        raise Failed("URI malformed") from None


def _url_decode(context: Context, value: Any) -> str:
    text = shown(value)
    try:
        if _NO_HEX.search(text):
            raise Failed("URI malformed")
        return unquote_to_bytes(text).decode().replace("+", " ")
    except UnicodeError:
        raise Failed("URI malformed") from None


def _slugify(context: Context, value: Any, mode: Any = UNDEFINED, cased: Any = UNDEFINED) -> str:
    text = shown(value)
    chosen = "default" if mode is UNDEFINED else javascript.text(mode)
    if chosen in ("raw", "ascii") or chosen in _SLUG_SIGNS:
        text = text.translate(_ACCENTS) if chosen == "latin" else text
        runs = groupby(text, lambda sign: _stays(sign, chosen))
        text = "".join("".join(run) if stays else "-" for stays, run in runs)
        text = text.removeprefix("-").removesuffix("-")
    return text if is_truthy(cased) else text.lower()


def _stays(sign: str, mode: str) -> bool:
    if mode == "raw":
        return sign not in javascript.WHITESPACE
    if mode == "ascii":
        return sign.isascii() and sign.isalnum()
    return sign in _SLUG_SIGNS[mode] or unicodedata.category(sign) in _LETTERS


def _base64_encode(context: Context, value: Any) -> str:
    return base64.b64encode(_utf8(value)).decode("ascii")


def _base64_decode(context: Context, value: Any) -> str:
    text = shown(value)
    if not text.isascii():
        raise Failed("base64 has only signs of ASCII")
    digits = text.partition("=")[0].replace("-", "+").replace("_", "/")
    digits = _NO_BASE64.sub("", digits)
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    return base64.b64decode(digits + "=" * (-len(digits) % 4)).decode("utf-8", "replace")


def _sha256(context: Context, value: Any) -> str:
    return hashlib.sha256(_utf8(value)).hexdigest()


def _hmac_sha256(context: Context, value: Any, key: Any = UNDEFINED) -> str:
    return hmac.new(_utf8(key), _utf8(value), hashlib.sha256).hexdigest()


def _utf8(value: Any) -> bytes:
    """Return the text in UTF-8, halves of a pair as U+FFFD."""
    text = shown(value)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _json(context: Context, value: Any, *indents: Any) -> Any:
    if any(map(is_truthy, indents)):
        raise Failed("JSON takes no indentation here")
    return javascript.stringify({} if type(value) is Literal else value)


FILTERS: dict[str, Callable[..., Any]] = {
    "escape": _escape, "xml_escape": _escape, "escape_once": _escape_once, "strip_html": _strip_html,
    "url_encode": _url_encode, "url_decode": _url_decode, "cgi_escape": _cgi_escape,
    "uri_escape": _uri_escape, "slugify": _slugify, "base64_encode": _base64_encode,
    "base64_decode": _base64_decode, "sha256": _sha256, "hmac_sha256": _hmac_sha256,
    **dict.fromkeys(OF_JSON, _json),
}  # fmt: skip
