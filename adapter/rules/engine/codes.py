"""Discount codes: what the rule's author shaped, and characters that cannot be guessed."""

from __future__ import annotations

from collections.abc import Callable

from adapter.model.rules import Rule

#: Digits and capitals without those that are taken for each other (0 O, 1 I L), 31 in all.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
#: 31^8 is 8.5e11: a million live codes leave a guesser one chance in 850,000 a try.
DRAWN = 8
#: Characters by which a code that is taken already is lengthened.
LENGTHENED_BY = 4


def code_for(rule: Rule, draw: Callable[[int], str]) -> str:
    """Return a new code; `draw(n)` gives n random characters of ALPHABET.

    Each `#` of the rule's `code_pattern` is one drawn character; without a pattern, eight follow the prefix.
    """
    if rule.code_pattern is None:
        return rule.code_prefix + draw(DRAWN)
    drawn = iter(draw(rule.code_pattern.count("#")))
    return "".join(next(drawn) if character == "#" else character for character in rule.code_pattern)
