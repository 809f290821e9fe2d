"""From text to a subscription, strictly: what Segment reads in a surprising way is refused.

Segment's parser (npm @segment/destination-subscriptions) knows no precedence, one level of
parentheses without functions in them, and skips what it does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args

from adapter.files.problems import did_you_mean
from adapter.mapping.engine.errors import SubscriptionError
from adapter.mapping.engine.javascript import as_double, number_text
from adapter.mapping.subscriptions.ast import Condition, Field, Group, Operator
from adapter.mapping.subscriptions.lexer import Token, tokens

_FIELDS: tuple[str, ...] = get_args(Field)
_NESTING = ("properties", "traits", "context")
_FUNCTIONS = ("contains", "match")
_VALUES = ("word", "null", "number", "string")


def parse(text: str) -> Group:
    """Return the subscription; raises SubscriptionError with the place and what to write instead."""
    if type(text) is not str or not text.strip():
        raise SubscriptionError(
            "the subscription is empty",
            position=0,
            trap="empty",
            remedy='write a condition, as in `type = "track"`',
        )
    return _Parser(text).whole()


def narrowed(subscription: Group, events: Sequence[str]) -> Group:
    """Return the subscription for messages alone whose event is one of these names, in any spelling."""
    named = tuple(
        Condition("event", "spelled", name, position=position) for position, name in enumerate(events)
    )
    return Group("and", (subscription, Group("or", named)))


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.place = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.token
        self.place += token.kind != "end"
        return token

    def whole(self) -> Group:
        group = self.group("end")
        return group if isinstance(group, Group) else Group("and", (group,))

    def group(self, closing: str, opened: Token | None = None) -> Group | Condition:
        children = [self.child(opened)]
        connector: Token | None = None
        capitals: list[int] = []
        while self.token.kind != closing:
            if self.token.kind == "word" and self.token.text.lower() == "and":
                capitals.append(self.token.start)
            connector = self.connector(connector, opened)
            children.append(self.child(opened))
        if opened is not None:
            self.take()
        if len(children) == 1:
            return children[0]
        joined = cast("Any", connector.text if connector else "and")
        return Group(joined, tuple(children), tuple(capitals))

    def connector(self, before: Token | None, opened: Token | None) -> Token:
        token = self.take()
        if token.kind == "end" and opened is not None:
            raise _error(opened, "a parenthesis is not closed", "unclosed_group", "end it with `)`")
        if token.kind == "word":
            token = _in_capitals(token)
        if token.kind != "keyword":
            raise _error(
                token,
                f"`{token.text}` where `and` or `or` is expected",
                "missing_connector",
                "write `and` or `or` between two conditions",
            )
        if before is not None and before.text != token.text:
            raise _error(
                token,
                "`and` and `or` are mixed in one group, and the last of them would rule all",
                "mixed_connectors",
                'put parentheses, as in `type = "track" and (event = "A" or event = "B")`',
            )
        return token

    def child(self, opened: Token | None) -> Group | Condition:
        token = self.take()
        if token.kind == "(":
            if opened is not None:
                raise _error(
                    token,
                    "parentheses in parentheses cannot be read",
                    "nested_groups",
                    "keep one level, or write two mappings",
                )
            if self.token.kind == ")":
                raise _error(token, "the parentheses are empty", "empty_group", "write a condition in them")
            return self.group(")", token)
        if token.kind == "not" or (token.text in _FUNCTIONS and self.token.kind == "("):
            if opened is not None:
                raise _error(
                    token,
                    "a function in parentheses ends the group early",
                    "function_in_group",
                    "take it out of the parentheses, or write two mappings",
                )
            return self.function(token)
        if token.kind == "word":
            return self.comparison(token)
        raise _misplaced(token)

    def field(self, first: Token) -> tuple[Field, str]:
        if first.text not in _FIELDS:
            remedy = did_you_mean(first.text, _FIELDS)
            raise _error(
                first, f"`{first.text}` is not a field: Segment skips the condition", "unknown_field", remedy
            )
        parts: list[str] = []
        while self.token.kind == ".":
            self.take()
            part = self.take()
            if part.kind != "word":
                raise _error(
                    part,
                    f"`{part.text}` cannot be a part of a path",
                    "bad_path",
                    "array indexes, and, or, null are not allowed in a path",
                )
            parts.append(part.text)
        if parts and first.text not in _NESTING:
            raise _error(
                first,
                f"`{first.text}` has nothing below it",
                "bad_path",
                "only properties, traits and context have",
            )
        return cast("Field", first.text), ".".join(parts) or (first.text if first.text in _NESTING else "")

    def value(self, wanted: str) -> Token:
        token = self.take()
        if token.kind == "operator" and token.text == "=" == self.tokens[self.place - 2].text:
            raise _error(token, "`==` compares nothing here", "missing_value", "write one `=`")
        if token.kind not in _VALUES:
            raise _error(
                token, f"{wanted} is missing", "missing_value", 'write "text", a number, true, false or null'
            )
        while token.kind == "word" and self.token.kind == ".":
            self.take()
            part = self.take()
            if part.kind != "word":
                raise _error(part, "an unquoted value cannot go on like this", "bad_value", "quote it")
            token = Token("word", f"{token.text}.{part.text}", token.start, part.end)
        return token

    def comparison(self, first: Token) -> Condition:
        field, name = self.field(first)
        operator = self.take()
        if operator.kind != "operator":
            raise _error(
                operator,
                f"an operator is missing behind `{first.text}`",
                "missing_operator",
                "write =, !=, <, <=, > or >=",
            )
        value = self.value("the value")
        return _condition(first, field, name, operator, value)

    def function(self, token: Token) -> Condition:
        negated = token.kind == "not"
        name = self.take() if negated else token
        self.expect("(", f"{name.text} takes (field, value)")
        first = self.take()
        if first.kind != "word":
            raise _misplaced(first)
        field, path = self.field(first)
        if field == "type":
            raise _error(
                first, f"{name.text} cannot look at type", "type_in_function", 'write `type = "track"`'
            )
        self.expect(",", f"{name.text} takes (field, value)")
        value = self.value("the second argument")
        self.expect(")", "a function ends with `)`")
        operator, sought = _edge(value) if name.text == "match" else ("contains", _text(value))
        return Condition(
            field, cast("Operator", f"not_{operator}" if negated else operator), sought, path, token.start
        )

    def expect(self, kind: str, message: str) -> None:
        token = self.take()
        if token.kind != kind:
            raise _error(token, message, "bad_function", f"write `{kind}` here")


def _in_capitals(token: Token) -> Token:
    """Return what Segment makes of a word between conditions: it skips `AND`, and joins them by `and`."""
    if token.text.lower() == "or":
        raise _error(
            token,
            f"Segment skips `{token.text}` and joins the conditions by `and`",
            "capital_or",
            "write `or` if one of the conditions is enough, `and` if all must hold",
        )
    if token.text.lower() != "and":
        return token
    return Token("keyword", "and", token.start, token.end)


def _edge(value: Token) -> tuple[str, str]:
    stars = value.text.count("*")
    if value.kind == "string" and stars == 1:
        if value.text.endswith("*"):
            return "starts_with", value.text[:-1]
        if value.text.startswith("*"):
            return "ends_with", value.text[1:]
    raise _error(
        value,
        "match takes text with one * at its start or at its end",
        "match_without_edge",
        'write "Order*" or "*Completed"; for the middle use contains, for all of it use =',
    )


def _text(value: Token) -> str:
    if value.kind == "number":
        return _number_text(value)
    return value.text


def _number_text(value: Token) -> str:
    return number_text(float(value.text))


def _condition(first: Token, field: Field, name: str, operator: Token, value: Token) -> Condition:
    def made(kind: str, compared: str | float | bool | None = None) -> Condition:
        return Condition(field, cast("Operator", kind), compared, name, first.start)

    sign = operator.text
    boolean = value.kind == "word" and value.text in ("true", "false")
    if boolean and sign == "!=":
        raise _error(
            value,
            f'`!= {value.text}` is a comparison with the text "{value.text}" and nearly always true',
            "not_boolean",
            f'write `= {"false" if value.text == "true" else "true"}`, or `!= "{value.text}"`',
        )
    special = {("=", "null"): "not_exists", ("!=", "null"): "exists"}
    if value.kind == "null" and field not in ("type", "event") and (sign, "null") in special:
        return made(special[sign, "null"])
    if sign == "=" and boolean and field in (*_NESTING, "userId"):
        return made(f"is_{value.text}")
    if field in _NESTING and value.kind == "number":
        number = as_double(float(value.text))
        return made({"=": "number_equals", "!=": "number_not_equals"}.get(sign, sign), number)
    if field in _NESTING and boolean:
        return made(sign, value.text == "true")
    return made(sign, _text(value))


def _error(token: Token, message: str, trap: str, remedy: str) -> SubscriptionError:
    return SubscriptionError(message, position=token.start, trap=trap, remedy=remedy)


def _misplaced(token: Token) -> SubscriptionError:
    if token.kind in ("end", "keyword", ")"):
        shown = f"`{token.text}`" if token.text else "the end"
        return _error(
            token,
            f"{shown} where a condition is expected",
            "missing_condition",
            'write one, as in `type = "track"`',
        )
    return _error(
        token, f"`{token.text}` where a field is expected", "misplaced", f"fields are {', '.join(_FIELDS)}"
    )
