"""Text and numbers as JavaScript prints and reads them (ECMA-262 §6.1.6, §7.1, §25.5)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from adapter.mapping.engine.values import UNDEFINED, is_number

#: What `String.prototype.trim` removes; Python's `strip` differs on U+FEFF and U+001C..1F, U+0085.
WHITESPACE = "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"  # noqa: E501
_EXACT = 2**53
_INDEX = re.compile(r"(0|[1-9][0-9]{0,9})\Z")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_DECIMAL = re.compile(r"[+-]?(Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)\Z", re.ASCII)
_RADIX = re.compile(r"0([xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)\Z")


def is_array_index(key: str) -> bool:
    """Tell whether JavaScript takes the key as an array's index: `0`, `17`, not `00` or `-1`."""
    return _INDEX.match(key) is not None and int(key) < 4294967295


def keys(value: dict[str, Any]) -> Collection[str]:
    """Return the keys in JavaScript's order: indexes first, ascending, then as inserted."""
    if min(value, default=":") >= ":":  # no key starts with a digit, nor with a sign below the digits
        return value
    indexes = sorted((key for key in value if is_array_index(key)), key=int)
    return indexes + [key for key in value if not is_array_index(key)] if indexes else list(value)


def trim(text: str) -> str:
    """Return `text.trim()`."""
    return text.strip(WHITESPACE)


def code_units(text: str) -> str:
    """Return the text with every UTF-16 code unit as one character."""
    return _ASTRAL.sub(_as_pair, text)


def joined_units(text: str) -> str:
    """Undo `code_units`: surrogate pairs become the characters that they encode."""
    return _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)


def _as_pair(match: re.Match[str]) -> str:
    point = ord(match[0]) - 0x10000
    return chr(0xD800 + (point >> 10)) + chr(0xDC00 + (point & 0x3FF))


def length(text: str) -> int:
    """Return `text.length`, in UTF-16 code units."""
    return len(text) if text.isascii() else len(code_units(text))


def as_double(number: float | Decimal) -> float:
    """Return the number as JavaScript holds it."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def number_text(number: float | Decimal) -> str:
    """Return `String(number)`: 45 for 45.0, 1e+21, 1e-7; integers beyond 2^53 lose digits as there."""
    if type(number) is int and -_EXACT <= number <= _EXACT:
        return str(number)
    double = number if type(number) is float else as_double(number)
    shown = repr(double)
    if "e" not in shown and "n" not in shown:  # the same shortest digits; only exponents are shown otherwise
        return shown.removesuffix(".0") if double else "0"
    if not math.isfinite(double):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[shown]
    sign, digits, exponent = Decimal(shown).normalize().as_tuple()
    return ("-" if sign else "") + _placed("".join(map(str, digits)), len(digits) + int(exponent))


def _placed(digits: str, point: int) -> str:
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def text(value: Any) -> str:
    """Return `String(value)`: objects print as `[object Object]`, arrays joined by commas."""
    if type(value) is str:
        return value
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if is_number(value):
        return number_text(value)
    if type(value) is list:
        return ",".join("" if item is None or item is UNDEFINED else text(item) for item in value)
    return "undefined" if value is UNDEFINED else "[object Object]"


def to_number(value: Any) -> float:
    """Return `Number(value)` for text, booleans, null and numbers; NaN where there is none."""
    if is_number(value):
        return as_double(value)
    if type(value) is not str:
        return float(value) if type(value) is bool else 0.0 if value is None else math.nan
    shown = trim(value)
    if _RADIX.match(shown):
        return as_double(int(shown, 0))
    return float(shown.replace("Infinity", "inf")) if _DECIMAL.match(shown) else (math.nan if shown else 0.0)


def stringify(value: Any) -> Any:
    """Return `JSON.stringify(value)`; UNDEFINED for undefined."""
    return UNDEFINED if value is UNDEFINED else "".join(_pieces(value))


def _pieces(value: Any) -> Iterator[str]:
    if type(value) is str:
        yield _quoted(value)
    elif type(value) is dict:
        yield from _object(value)
    elif type(value) is list:
        yield "["
        for place, item in enumerate(value):
            yield "," if place else ""
            yield from _pieces(None if item is UNDEFINED else item)
        yield "]"
    elif is_number(value):
        yield number_text(value) if math.isfinite(as_double(value)) else "null"
    else:
        yield "null" if value is None else text(value)


def _object(value: dict[str, Any]) -> Iterator[str]:
    separator = "{"
    for key in keys(value):
        if value[key] is not UNDEFINED:
            yield f"{separator}{_quoted(key)}:"
            yield from _pieces(value[key])
            separator = ","
    yield "{}" if separator == "{" else "}"


def _quoted(value: str) -> str:
    quoted = encode_basestring(value)
    if value.isascii():
        return quoted
    return _SURROGATES.sub(lambda lone: f"\\u{ord(lone[0]):04x}", joined_units(quoted))


def parse(value: str) -> Any:
    """Return `JSON.parse(value)`; raises ValueError where that throws.

    Integers beyond 2^53 come out rounded, as JavaScript reads them.
    """
    return json.loads(value.strip("\t\n\r "), parse_int=_integer, parse_float=_float, parse_constant=_refuse)


def _integer(digits: str) -> float:
    number = int(digits) if len(digits) < 400 else math.inf
    if -_EXACT <= number <= _EXACT:
        return number
    return _float(digits)


def _float(digits: str) -> float:
    double = float(digits)
    if not math.isfinite(double):
        return double
    shown = number_text(double)
    return int(shown) if shown.lstrip("-").isdigit() else double


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
