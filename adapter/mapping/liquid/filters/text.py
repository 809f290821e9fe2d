"""Filters of text. Places and lengths count UTF-16 units, as in JavaScript."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from adapter.mapping.engine import javascript
from adapter.mapping.engine.values import UNDEFINED, is_truthy
from adapter.mapping.liquid.context import Context, Failed
from adapter.mapping.liquid.values import integer, is_false, number, shown, units

_SPACES = re.compile(f"[{javascript.WHITESPACE}]+")
_NEWLINE = re.compile(r"\r?\n")
_CJK_SIGNS = "\u4e00-\u9fff\uf900-\ufaff\u3400-\u4dbf\u3040-\u309f\u30a0-\u30ff\uac00-\ud7af"
_CJK = re.compile(f"[{_CJK_SIGNS}]")
_CJK_OTHERS = re.compile(f"[^{_CJK_SIGNS}{javascript.WHITESPACE}]+")


def _append(context: Context, value: Any, *arguments: Any) -> str:
    return _added("append", context, value, arguments, after=True)


def _prepend(context: Context, value: Any, *arguments: Any) -> str:
    return _added("prepend", context, value, arguments, after=False)


def _added(name: str, context: Context, value: Any, arguments: tuple[Any, ...], *, after: bool) -> str:
    if len(arguments) != 1:
        raise Failed(f"{name} expect 2 arguments")
    one, two = shown(value), shown(arguments[0])
    context.use(len(one) + len(two))
    return one + two if after else two + one


def _stripping(left: bool, right: bool) -> Callable[..., str]:
    def strip(context: Context, value: Any, signs: Any = UNDEFINED) -> str:
        text = shown(value)
        removed = javascript.WHITESPACE
        if is_truthy(signs):
            text, removed = units(text), "".join(sign for sign in shown(signs) if sign <= "\uffff")
        text = text.lstrip(removed) if left else text
        return text.rstrip(removed) if right else text

    return strip


def _downcase(context: Context, value: Any) -> str:
    return shown(value).lower()


def _upcase(context: Context, value: Any) -> str:
    return shown(value).upper()


def _capitalize(context: Context, value: Any) -> str:
    text = units(shown(value))
    return text[:1].upper() + javascript.joined_units(text[1:]).lower()


def _replace(context: Context, value: Any, pattern: Any = UNDEFINED, replacement: Any = UNDEFINED) -> str:
    parts = _parts(shown(value), shown(pattern))
    between = shown(replacement)
    context.use(sum(map(len, parts)) + (len(parts) - 1) * len(between))
    return between.join(parts)


def _remove(context: Context, value: Any, pattern: Any = UNDEFINED) -> str:
    return "".join(_parts(shown(value), shown(pattern)))


def _parts(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(units(text))


def _replace_first(
    context: Context, value: Any, pattern: Any = UNDEFINED, replacement: Any = UNDEFINED
) -> str:
    return shown(value).replace(shown(pattern), shown(replacement), 1)


def _remove_first(context: Context, value: Any, pattern: Any = UNDEFINED) -> str:
    return shown(value).replace(shown(pattern), "", 1)


def _replace_last(
    context: Context, value: Any, pattern: Any = UNDEFINED, replacement: Any = UNDEFINED
) -> str:
    text, searched = shown(value), shown(pattern)
    before, found, after = text.rpartition(searched) if searched else (text, "", "")
    return before + shown(replacement) + after if found or not searched else text


def _remove_last(context: Context, value: Any, pattern: Any = UNDEFINED) -> str:
    return _replace_last(context, value, pattern, "")


def _split(context: Context, value: Any, separator: Any = UNDEFINED) -> list[str]:
    parts = _parts(shown(value), shown(separator))
    while parts and not parts[-1]:
        parts.pop()
    return parts


def _strip_newlines(context: Context, value: Any) -> str:
    return _NEWLINE.sub("", shown(value))


def _normalize_whitespace(context: Context, value: Any) -> str:
    return _SPACES.sub(" ", shown(value))


def _truncate(context: Context, value: Any, longest: Any = UNDEFINED, ending: Any = UNDEFINED) -> Any:
    text = units(shown(value))
    end = "..." if ending is UNDEFINED else shown(ending)
    most = 50.0 if longest is UNDEFINED else number(longest)
    if len(text) <= most:
        return value
    kept = most - javascript.length(end)
    return text[: int(max(kept, 0))] + end if math.isfinite(kept) else end


def _truncatewords(context: Context, value: Any, most: Any = UNDEFINED, ending: Any = UNDEFINED) -> str:
    words = _SPACES.split(shown(value))
    end = "..." if ending is UNDEFINED else shown(ending)
    asked = 15.0 if most is UNDEFINED else number(most)
    asked = 1.0 if asked <= 0 else asked
    kept = " ".join(words[: int(min(integer(asked), len(words)))])
    return kept + end if len(words) >= asked else kept


def _number_of_words(context: Context, value: Any, mode: Any = UNDEFINED) -> int:
    text = javascript.trim(shown(value))
    if not text:
        return 0
    if mode == "cjk" or (mode == "auto" and _CJK.search(text)):
        return len(_CJK.findall(text)) + len(_CJK_OTHERS.findall(text))
    return len(_SPACES.split(text))


def _default(context: Context, value: Any, otherwise: Any = UNDEFINED, *, allow_false: Any = False) -> Any:
    if type(value) is list or type(value) is str:
        return value or otherwise
    if value is False and is_truthy(allow_false):
        return False
    return otherwise if is_false(value) else value


def _raw(context: Context, value: Any) -> Any:
    return value


FILTERS: dict[str, Callable[..., Any]] = {
    "append": _append, "prepend": _prepend, "strip": _stripping(left=True, right=True),
    "lstrip": _stripping(left=True, right=False), "rstrip": _stripping(left=False, right=True),
    "downcase": _downcase, "upcase": _upcase, "capitalize": _capitalize, "replace": _replace,
    "replace_first": _replace_first, "replace_last": _replace_last, "remove": _remove,
    "remove_first": _remove_first, "remove_last": _remove_last, "split": _split,
    "strip_newlines": _strip_newlines, "normalize_whitespace": _normalize_whitespace, "truncate": _truncate,
    "truncatewords": _truncatewords, "number_of_words": _number_of_words, "default": _default, "raw": _raw,
}  # fmt: skip
