"""Tokens to a syntax tree: a Pratt parser for the CEL subset (operators bind as in cel-spec)."""

from __future__ import annotations

from adapter.rules.expressions import slips
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.lexer import Token, tokens
from adapter.rules.expressions.syntax_tree import (
    Chain,
    Choice,
    Infix,
    Invocation,
    Mapping,
    Name,
    Prefix,
    Scalar,
    Select,
    Sequence,
    Subscript,
    Syntax,
)

#: How deep an expression may nest, how many pieces it may have, how long a list may be.
MAX_DEPTH = 32
MAX_NODES = 256
MAX_ITEMS = 1000

_CONDITIONAL, _ARITHMETIC, _UNARY = 1, 5, 7
_BINDS = {"||": 2, "&&": 3, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4,
          "+": _ARITHMETIC, "-": _ARITHMETIC, "*": 6, "/": 6, "%": 6}  # fmt: skip
_CONSTANTS = {"true": True, "false": False, "null": None}
_RESERVED = frozenset(
    ("as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
     "namespace", "return", "var", "void", "while", "__result__")
)  # fmt: skip
#: CEL's own words, which no field can be called by a dot.
_NO_FIELDS = frozenset((*_CONSTANTS, "in"))
_WORDS = {"and": "&&", "AND": "&&", "or": "||", "OR": "||", "not": "!", "NOT": "!", "IN": "in", "is": "==",
          "True": "true", "TRUE": "true", "False": "false", "FALSE": "false",
          "None": "null", "NULL": "null", "nil": "null"}  # fmt: skip
#: No name can be any of these.
KEYWORDS = frozenset((*_CONSTANTS, *_RESERVED, *_WORDS, "in"))


def parse_syntax(text: str) -> Syntax:
    """Return the syntax tree of an expression; raises ExpressionError at the first mistake."""
    parsing = _Parsing(tokens(text))
    tree = parsing.expression(0)
    parsing.end()
    return tree


class _Parsing:
    def __init__(self, words: list[Token]) -> None:
        self.words = words
        self.at = 0
        self.depth = 0
        self.pieces = 0

    @property
    def word(self) -> Token:
        return self.words[self.at]

    def is_operator(self, *spellings: str) -> bool:
        return self.word.kind == "operator" and self.word.value in spellings

    def take(self) -> Token:
        word = self.word
        self.at += 1
        return word

    def expect(self, spelling: str) -> Token:
        if not self.is_operator(spelling):
            raise self.unexpected(f"write `{spelling}` here")
        return self.take()

    def end(self) -> None:
        if self.word.kind != "end":
            raise self.unexpected("")

    def unexpected(self, remedy: str) -> ExpressionError:
        word = self.word
        if word.kind == "end":
            return ExpressionError("the expression ends too early", remedy, word.offset)
        if word.kind == "name" and word.value in _WORDS:
            remedy = f"write `{_WORDS[word.value]}`"
        if word.kind == "name" and word.value in slips.OPERATORS:
            remedy = slips.OPERATORS[word.value]
        shown = f'"{word.value}"' if word.kind == "text" else word.value
        return ExpressionError(f"`{shown}` does not belong here", remedy, word.offset)

    def count(self, offset: int) -> None:
        self.pieces += 1
        if self.pieces > MAX_NODES:
            remedy = "split it into several conditions, or move parts into rules/definitions.yaml"
            raise ExpressionError(f"the expression has more than {MAX_NODES} parts", remedy, offset)

    def expression(self, binding: int) -> Syntax:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            remedy = "move the inner part into rules/definitions.yaml"
            raise ExpressionError(f"the expression nests deeper than {MAX_DEPTH}", remedy, self.word.offset)
        left = self.operand()
        links = 0
        while (power := self.power()) > binding:
            links += power >= _BINDS["=="]
            if links > MAX_DEPTH:
                raise ExpressionError(
                    f"more than {MAX_DEPTH} operators in a row", "use fewer", self.word.offset
                )
            left = self.infix(left, power)
        self.depth -= 1
        return left

    def power(self) -> int:
        word = self.word
        if word.kind == "operator" and word.value == "?":
            return _CONDITIONAL
        if word.kind == "operator" or word.value == "in":
            return _BINDS.get(word.value, 0) if word.kind != "text" else 0
        return 0

    def infix(self, left: Syntax, power: int) -> Syntax:
        word = self.take()
        self.count(word.offset)
        if word.value == "?":
            then = self.expression(_CONDITIONAL)
            self.expect(":")
            return Choice(word.offset, left, then, self.expression(0))
        if word.value not in ("&&", "||"):
            return Infix(word.offset, word.value, left, self.expression(power))
        parts = [left, self.expression(power)]
        while self.is_operator(word.value):
            self.count(self.take().offset)
            parts.append(self.expression(power))
        return Chain(word.offset, word.value, tuple(parts))

    def operand(self) -> Syntax:
        if self.is_operator("!", "-"):
            word = self.take()
            self.count(word.offset)
            if self.is_operator("!", "-") and self.word.value != word.value:
                raise self.unexpected("put the rest in parentheses")
            return Prefix(word.offset, word.value, self.expression(_UNARY))
        return self.members(self.primary())

    def members(self, operand: Syntax) -> Syntax:
        links = 0
        while self.is_operator(".", "["):
            links += 1
            if links > MAX_DEPTH:
                raise ExpressionError(f"a path of more than {MAX_DEPTH} steps", "", self.word.offset)
            operand = self.member(operand)
        return operand

    def member(self, operand: Syntax) -> Syntax:
        mark = self.take()
        self.count(mark.offset)
        if mark.value == "[":
            index = self.expression(0)
            self.expect("]")
            return Subscript(mark.offset, operand, index)
        if self.word.kind != "name":
            raise self.unexpected("write a name after the dot")
        name = self.take()
        if name.value in _NO_FIELDS:
            remedy = f'write `["{name.value}"]` after the object, without the dot'
            raise ExpressionError(f"`{name.value}` cannot come after a dot", remedy, name.offset)
        if self.is_operator("("):
            return Invocation(name.offset, operand, name.value, self.arguments())
        return Select(name.offset, operand, name.value)

    def primary(self) -> Syntax:
        word = self.word
        if self.is_operator("("):
            self.take()
            inner = self.expression(0)
            self.expect(")")
            return inner
        if self.is_operator("["):
            return self.sequence()
        if self.is_operator("{"):
            return self.mapping()
        if word.kind not in ("number", "text", "name"):
            raise self.unexpected("write a name, a number or a text in quotes")
        self.count(word.offset)
        self.take()
        return self.named(word) if word.kind == "name" else Scalar(word.offset, word.value)

    def named(self, word: Token) -> Syntax:
        if word.value in _CONSTANTS:
            return Scalar(word.offset, _CONSTANTS[word.value])
        if word.value in KEYWORDS:
            self.at -= 1
            raise self.unexpected("this word is reserved; quote it if it is text")
        if self.is_operator("("):
            return Invocation(word.offset, None, word.value, self.arguments())
        return Name(word.offset, word.value)

    def arguments(self) -> tuple[Syntax, ...]:
        self.expect("(")
        found: list[Syntax] = []
        while not self.is_operator(")"):
            found.append(self.expression(0))
            if not self.is_operator(")"):
                self.expect(",")
                if self.is_operator(")"):
                    raise self.unexpected("write another value after the comma")
        self.take()
        return tuple(found)

    def mapping(self) -> Syntax:
        start = self.take()
        self.count(start.offset)
        keys: list[Syntax] = []
        values: list[Syntax] = []
        while not self.is_operator("}"):
            keys.append(self.expression(0))
            self.expect(":")
            values.append(self.expression(0))
            if not self.is_operator("}"):
                self.expect(",")
        self.take()
        return Mapping(start.offset, tuple(keys), tuple(values))

    def sequence(self) -> Syntax:
        start = self.take()
        before = self.pieces
        items: list[Syntax] = []
        constant = True
        while not self.is_operator("]"):
            items.append(self.expression(0))
            constant = constant and isinstance(items[-1], Scalar)
            if constant:  # a list of constants is one piece, however long
                self.pieces = before
            if not self.is_operator("]"):
                self.expect(",")
        self.take()
        self.count(start.offset)
        if len(items) > MAX_ITEMS:
            raise ExpressionError(f"a list of more than {MAX_ITEMS}", "use a segment", start.offset)
        return Sequence(start.offset, tuple(items))
